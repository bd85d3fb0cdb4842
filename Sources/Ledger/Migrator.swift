internal import Loop

extension Ledger {
    /// Brings the schema up to date, gives a restored log its new epoch, and says which versions that took. Processes that start at once wait for each other.
    public static func migrate(dsn: String) async throws(LedgerError) -> [Int] { try await run(Migrator(dsn: dsn)) }

    /// The versions that ``migrate(dsn:)`` would apply. Changes nothing.
    public static func missingMigrations(dsn: String) async throws(LedgerError) -> [Int] { try await run(Migrator(dsn: dsn, applies: false)) }

    private static func run(_ migrator: Migrator) async throws(LedgerError) -> [Int] {
        let outcome = await withCheckedContinuation { done in migrator.run { done.resume(returning: $0) } }
        return try outcome.get()
    }
}

/// Runs the missing migrations in one transaction on a connection of its own, or only says which they are.
@LoopActor
final class Migrator {
    private let settings: ConnectionSettings
    private let applies: Bool
    private var connection: Connection?
    private var completion: (@LoopActor (Result<[Int], LedgerError>) -> Void)?

    init(dsn: String, applies: Bool = true) throws(LedgerError) {
        self.applies = applies
        settings = try ConnectionSettings(dsn: dsn, role: "migration", statementMilliseconds: 120_000)
    }

    func run(_ completion: @escaping @LoopActor (Result<[Int], LedgerError>) -> Void) {
        self.completion = completion
        let connection = Connection(
            settings, onReady: { [weak self] in self?.begin() }, onClosed: { [weak self] in self?.end(.failure(LedgerError($0))) })
        self.connection = connection
        connection.open()
    }

    /// The lock is the transaction's, so a process that dies gives it back.
    private func begin() {
        let steps = [
            Step(Statement("begin", "BEGIN")),
            Step(Statement("lock", "SELECT pg_advisory_xact_lock(7811907413)")),
            Step(Statement("versions table", """
                CREATE TABLE IF NOT EXISTS schema_migrations (
                    version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
                """)),
            Step(Statement("versions", "SELECT version FROM schema_migrations")),
        ]
        connection?.submit(steps) { [weak self] outcome in
            guard let self else { return }
            switch outcome {
            case .success(let results):
                let rows = results[3]
                let present = Set((0..<rows.count).map { Int(rows.integer($0, 0)) })
                let missing = Migration.all.filter { !present.contains($0.version) }
                if self.applies { self.apply(missing) } else { self.end(.success(missing.map(\.version))) }
            case .failure(let failure): self.end(.failure(LedgerError(failure)))
            }
        }
    }

    private func apply(_ migrations: [Migration]) {
        var steps: [Step] = []
        for migration in migrations {
            for (index, text) in migration.statements.enumerated() {
                steps.append(Step(Statement("migration \(migration.version).\(index)", text)))
            }
            var parameters = Parameters()
            parameters.append(Int64(migration.version))
            parameters.append(migration.name)
            steps.append(Step(
                Statement("applied", "INSERT INTO schema_migrations (version, name) VALUES ($1, $2)", [TypeID.bigint, TypeID.text]),
                parameters))
        }
        steps.append(RetentionQuery.claim)
        steps.append(Step(Statement("commit", "COMMIT")))
        connection?.submit(steps) { [weak self] outcome in
            self?.end(outcome.map { _ in migrations.map(\.version) }.mapError { LedgerError($0) })
        }
    }

    /// Closing the connection rolls back what was not committed.
    private func end(_ outcome: Result<[Int], LedgerError>) {
        let completion = completion
        self.completion = nil
        connection?.close()
        connection = nil
        completion?(outcome)
    }
}
