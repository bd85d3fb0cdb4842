internal import Loop

/// Pings while a call is open, because a dead connection is found by nothing else: a peer that vanished sends no reset.
@LoopActor
final class Keepalive {
    private let settings: GRPCSettings
    private let ping: @LoopActor () -> Void
    private let onTimeout: @LoopActor () -> Void
    private var interval: Timer?
    private var deadline: Timer?

    init(_ settings: GRPCSettings, ping: @escaping @LoopActor () -> Void, onTimeout: @escaping @LoopActor () -> Void) {
        self.settings = settings
        self.ping = ping
        self.onTimeout = onTimeout
    }

    func streamCountChanged(to count: Int) {
        if count == 0 {
            stop()
        } else if interval == nil {
            let period = settings.keepaliveMilliseconds
            interval = Timer(afterMilliseconds: period, repeats: period) { [weak self] in self?.sendPing() }
        }
    }

    func pingAnswered() {
        deadline?.cancel()
        deadline = nil
    }

    func stop() {
        interval?.cancel()
        interval = nil
        pingAnswered()
    }

    private func checkAnswer() {
        guard deadline != nil else { return }
        stop()
        onTimeout()
    }

    private func sendPing() {
        guard deadline == nil else { return }
        deadline = Timer(afterMilliseconds: settings.keepaliveTimeoutMilliseconds) { [weak self] in
            // After a long turn the answer may be here already: the sockets are served first.
            LoopActor.atEndOfTurn { self?.checkAnswer() }
        }
        ping()
    }
}
