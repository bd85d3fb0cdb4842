internal import Loop

/// Sends a client away that keeps a connection and asks nothing.
@LoopActor
final class Idling {
    private let settings: GRPCSettings
    private let sayGoodbye: @LoopActor () -> Void
    private var timer: Timer?

    init(_ settings: GRPCSettings, sayGoodbye: @escaping @LoopActor () -> Void) {
        self.settings = settings
        self.sayGoodbye = sayGoodbye
        wait(settings.firstCallTimeoutMilliseconds)
    }

    func streamCountChanged(to count: Int) {
        stop()
        if count == 0 { wait(settings.idleTimeoutMilliseconds) }
    }

    func stop() {
        timer?.cancel()
        timer = nil
    }

    private func wait(_ milliseconds: UInt64) {
        guard milliseconds > 0 else { return }
        timer = Timer(afterMilliseconds: milliseconds) { [sayGoodbye] in sayGoodbye() }
    }
}
