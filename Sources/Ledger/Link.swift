internal import Logging
internal import Loop

/// Keeps a connection up: when it is lost, another one is made, after a pause that grows.
@LoopActor
final class Link {
    /// The new problem, or `nil` when the connection stands.
    var onChange: ((String?) -> Void)?
    var onNotification: ((_ channel: String, _ payload: String) -> Void)?

    private let settings: ConnectionSettings
    private let logger: Logger
    private var connection: Connection?
    private var retry: Timer?
    private var failures = 0

    init(_ settings: ConnectionSettings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    var ready: Connection? {
        guard let connection, connection.isReady else { return nil }
        return connection
    }

    func open() {
        guard connection == nil else { return }
        let connection = Connection(
            settings,
            onReady: { [weak self] in
                self?.failures = 0
                self?.onChange?(nil)
            },
            onClosed: { [weak self] in self?.closed($0) },
            onNotification: { [weak self] in self?.onNotification?($0, $1) })
        self.connection = connection
        connection.open()
    }

    func close() {
        retry?.cancel()
        retry = nil
        let connection = connection
        self.connection = nil
        connection?.close()
    }

    private func closed(_ failure: StatementFailure) {
        guard connection != nil else { return }
        connection = nil
        failures += 1
        onChange?(failure.text)
        retry = Timer(afterMilliseconds: min(25 << UInt64(min(failures, 6)), 1_000)) { [weak self] in
            self?.retry = nil
            self?.open()
        }
    }
}
