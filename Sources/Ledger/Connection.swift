internal import CPQ
internal import Loop

/// One libpq connection in pipeline mode on the loop. It never blocks after the host's name was resolved.
///
/// Work is handed over in units: the steps of a unit are one transaction, and its completion runs exactly once, after
/// the server has said that the transaction ended. Units are answered in the order they were submitted.
@LoopActor
@safe
final class Connection {
    private struct Unit {
        /// For each step in flight, the statement it prepares; `nil` for an execution.
        var preparing: [String?]
        var results: [Rows] = []
        var failure: StatementFailure?
        let sentAt: UInt64
        let completion: @LoopActor (Result<[Rows], StatementFailure>) -> Void
    }

    private let settings: ConnectionSettings
    private let onReady: @LoopActor () -> Void
    private let onClosed: @LoopActor (StatementFailure) -> Void
    private let onNotification: @LoopActor (_ channel: String, _ payload: String) -> Void

    private var connection: OpaquePointer?
    private var poll: PollHandle?
    private var watchdog: Timer?
    private var openedAt: UInt64 = 0
    private(set) var isReady = false
    private var prepared: Set<String> = []
    private var units: [Unit] = []

    /// The closures run until ``close()``; `onClosed` at most once, after the completions of all units have run.
    init(
        _ settings: ConnectionSettings,
        onReady: @escaping @LoopActor () -> Void,
        onClosed: @escaping @LoopActor (StatementFailure) -> Void,
        onNotification: @escaping @LoopActor (String, String) -> Void = { _, _ in }
    ) {
        self.settings = settings
        self.onReady = onReady
        self.onClosed = onClosed
        self.onNotification = onNotification
    }

    func open() {
        openedAt = Clock.monotonicNanoseconds
        unsafe connection = settings.withKeywords { unsafe PQconnectStartParams($0, $1, 1) }
        guard let connection = unsafe connection, !isBroken else {
            return loseAtEndOfTurn()
        }
        unsafe PQsetNoticeReceiver(connection, ignoreNotice, nil)
        watch(for: .writable)
        watchdog = Timer(afterMilliseconds: 500, repeats: 500) { [weak self] in self?.checkPatience() }
    }

    /// Gives up without a word; completions of units in flight run with a lost connection.
    func close() { lose(.lost("closed"), telling: false) }

    /// Sends the steps as one transaction. A connection that is not ready answers with `.lost`.
    func submit(_ steps: [Step], completion: @escaping @LoopActor (Result<[Rows], StatementFailure>) -> Void) {
        var unit = Unit(preparing: [], sentAt: Clock.monotonicNanoseconds, completion: completion)
        guard isReady, let connection = unsafe connection else {
            return LoopActor.atEndOfTurn { completion(.failure(.lost("not connected"))) }
        }
        var isSent = true
        for step in steps where isSent {
            let statement = step.statement
            if !prepared.contains(statement.name) {
                isSent = unsafe PQsendPrepare(connection, statement.name, statement.text, Int32(statement.types.count), statement.types) == 1
                prepared.insert(statement.name)
                unit.preparing.append(statement.name)
                guard isSent else { break }
            }
            unit.preparing.append(nil)
            isSent = unsafe step.parameters.withPointers { values, lengths, formats in
                unsafe PQsendQueryPrepared(connection, statement.name, Int32(statement.types.count), values, lengths, formats, 1) == 1
            }
        }
        if isSent { isSent = unsafe PQpipelineSync(connection) == 1 }
        units.append(unit)
        guard isSent else { return loseAtEndOfTurn() }
        flush()
    }

    // MARK: The descriptor

    private func watch(for events: PollHandle.Events) {
        guard let connection = unsafe connection else { return }
        poll?.close()
        poll = PollHandle(descriptor: unsafe PQsocket(connection)) { [weak self] events, _ in self?.happened(events) }
        guard let poll else { return loseAtEndOfTurn() }
        poll.want(events)
    }

    private func happened(_ events: PollHandle.Events) {
        guard unsafe connection != nil else { return }
        guard isReady else { return shakeHands() }
        if events.contains(.writable) { flush() }
        readAnswers()
    }

    private func shakeHands() {
        guard let connection = unsafe connection else { return }
        // libpq may have gone on to another of the DSN's hosts, and so to another descriptor.
        switch unsafe PQconnectPoll(connection) {
        case PGRES_POLLING_READING: watch(for: .readable)
        case PGRES_POLLING_WRITING: watch(for: .writable)
        case PGRES_POLLING_OK:
            guard unsafe PQsetnonblocking(connection, 1) == 0, unsafe PQenterPipelineMode(connection) == 1 else {
                return lose(failure())
            }
            watch(for: .readable)
            isReady = true
            submit([Step(settings.session)]) { [weak self] outcome in
                guard let self, self.isReady else { return }
                switch outcome {
                case .success: self.onReady()
                case .failure(let failure): self.lose(failure)
                }
            }
        default: lose(failure())
        }
    }

    private func flush() {
        guard let connection = unsafe connection else { return }
        switch unsafe PQflush(connection) {
        case 0: poll?.want(.readable)
        case 1: poll?.want([.readable, .writable])
        default: loseAtEndOfTurn()
        }
    }

    private func readAnswers() {
        guard let connection = unsafe connection else { return }
        // Answers that arrived before the connection broke are still good, so they are read first.
        let isAlive = unsafe PQconsumeInput(connection) == 1
        var nothings = 0
        while !units.isEmpty, nothings < 3, !isWaiting {
            guard let result = unsafe PQgetResult(connection) else {
                nothings += 1
                continue
            }
            nothings = 0
            take(unsafe Rows(taking: result))
            guard unsafe self.connection != nil else { return }
        }
        while let notification = unsafe PQnotifies(connection) {
            let channel = unsafe String(cString: notification.pointee.relname)
            let payload = unsafe String(cString: notification.pointee.extra)
            unsafe PQfreemem(notification)
            onNotification(channel, payload)
            guard unsafe self.connection != nil else { return }
        }
        if !isAlive || isBroken { return lose(failure()) }
        flush()
    }

    private var isWaiting: Bool { unsafe PQisBusy(connection) == 1 }
    private var isBroken: Bool { unsafe PQstatus(connection) == CONNECTION_BAD }

    private func take(_ rows: Rows) {
        switch rows.outcome {
        case .synchronized:
            let unit = units.removeFirst()
            if let failure = unit.failure {
                // A prepared statement outlives the transaction; what came after the failure was never prepared.
                for case let name? in unit.preparing.dropFirst(unit.results.count) { prepared.remove(name) }
                unit.completion(.failure(failure))
                if failure.endsConnection { lose(failure) }
            } else {
                let results = zip(unit.preparing, unit.results).filter { $0.0 == nil }.map(\.1)
                unit.completion(.success(results))
            }
        case .good: units[0].results.append(rows)
        case .aborted: units[0].failure = units[0].failure ?? .lost("aborted")
        case .failed(let failure):
            // Only the first failure of a transaction is its cause.
            if units[0].failure == nil { units[0].failure = failure }
        }
    }

    // MARK: The end

    /// A server or a network that has hung is told from a slow one by the settings' patience, which exceeds what the
    /// server allows a statement.
    private func checkPatience() {
        let since = isReady ? units.first?.sentAt : openedAt
        guard let since, Clock.monotonicNanoseconds - since > settings.patienceNanoseconds else { return }
        lose(.lost("no answer in time"))
    }

    private func failure() -> StatementFailure {
        guard let connection = unsafe connection, let message = unsafe PQerrorMessage(connection) else { return .lost("out of memory") }
        return .lost(firstLine(of: unsafe String(cString: message)))
    }

    /// Callers of ``submit(_:completion:)`` never see a completion run before it returns.
    private func loseAtEndOfTurn() {
        LoopActor.atEndOfTurn { [weak self] in
            guard let self else { return }
            self.lose(self.failure())
        }
    }

    private func lose(_ failure: StatementFailure, telling: Bool = true) {
        guard let connection = unsafe connection else { return }
        unsafe self.connection = nil
        isReady = false
        poll?.close()
        watchdog?.cancel()
        poll = nil
        watchdog = nil
        unsafe PQfinish(connection)
        let abandoned = units
        units = []
        for unit in abandoned { unit.completion(.failure(unit.failure?.endsConnection == false ? unit.failure! : failure.asLoss)) }
        if telling { onClosed(failure) }
    }

    isolated deinit {
        poll?.close()
        watchdog?.cancel()
        if let connection = unsafe connection { unsafe PQfinish(connection) }
    }
}

/// Notices would go to standard error.
private func ignoreNotice(_: UnsafeMutableRawPointer?, _: OpaquePointer?) {}
