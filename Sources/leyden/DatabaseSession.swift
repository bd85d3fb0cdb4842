internal import Ledger
internal import Logging
internal import Loop

/// The database for a command that asks it something and ends.
enum DatabaseSession {
    /// Migrates, connects and lends the ledger to `body`. A database that is away fails at once instead of being waited for.
    @LoopActor
    static func with<Value: Sendable>(
        dsn: String, _ body: @LoopActor (Ledger, @escaping @LoopActor (Result<Value, LedgerError>) -> Void) -> Void
    ) async throws(CommandError) -> Value {
        do {
            _ = try await Ledger.migrate(dsn: dsn)
            let ledger = try Ledger(dsn: dsn, logger: Logger(label: "leyden") { _ in SwiftLogNoOpLogHandler() })
            defer { ledger.close() }
            try await connect(ledger)
            return try await withCheckedContinuation { done in body(ledger) { done.resume(returning: $0) } }.get()
        } catch {
            throw CommandError(error)
        }
    }

    /// Returns when both connections stand, or throws when they do not within five seconds.
    @LoopActor
    private static func connect(_ ledger: Ledger) async throws(LedgerError) {
        let outcome: Result<Void, LedgerError> = await withCheckedContinuation { done in
            var waiting: CheckedContinuation<Result<Void, LedgerError>, Never>? = done
            let patience = Timer(afterMilliseconds: 5_000) {
                waiting?.resume(returning: .failure(.unavailable("no connection within 5 s")))
                waiting = nil
            }
            ledger.onState = { state in
                guard state == .connected else { return }
                patience.cancel()
                waiting?.resume(returning: .success(()))
                waiting = nil
            }
            ledger.start()
        }
        ledger.onState = nil
        try outcome.get()
    }
}
