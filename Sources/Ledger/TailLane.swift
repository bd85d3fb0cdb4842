internal import Logging
internal import Loop

/// The connection that hears of commits and reads the end of the log.
///
/// It is one of its own so that what was just committed never waits behind somebody's history, and so that it can lead
/// past a pooler, through which nothing is heard.
@LoopActor
final class TailLane {
    var onHead: ((Int64) -> Void)?
    var onRequests: (() -> Void)?
    /// Whether the server has promised to tell of commits.
    private(set) var isListening = false

    private let link: Link

    init(_ settings: ConnectionSettings, logger: Logger) { link = Link(settings, logger: logger) }

    func open() {
        link.onChange = { [weak self] problem in
            guard let self else { return }
            self.isListening = false
            guard problem == nil else { return }
            self.link.ready?.submit([
                Step(Statement("listen", "LISTEN leyden_events")), Step(Statement("listen to requests", "LISTEN leyden_requests")),
            ]) { [weak self] outcome in
                if case .success = outcome { self?.isListening = true }
            }
        }
        link.onNotification = { [weak self] channel, payload in
            if channel == "leyden_requests" { self?.onRequests?() } else if let head = Int64(payload) { self?.onHead?(head) }
        }
        link.open()
    }

    func close() {
        isListening = false
        link.close()
    }

    /// False, and nothing is asked, while the connection does not stand.
    func read<Value>(
        _ step: Step, _ completion: @escaping @LoopActor (Result<Value, LedgerError>) -> Void,
        _ decode: @escaping @LoopActor (Rows) -> Value
    ) -> Bool {
        guard let connection = link.ready else { return false }
        connection.submit([step]) { outcome in
            completion(outcome.map { decode($0[0]) }.mapError { LedgerError($0) })
        }
        return true
    }
}
