// Ledger: the durable memory, one Postgres database.
//
// It guarantees that an entry is reported applied only after the transaction with its change and its events is
// committed, that offsets are dense and in commit order, that a deposed leader commits nothing, that an entry whose
// answer was lost is sent again and counts once, and that every commit is answered exactly once.
// It refuses to know what the changes mean to a node or a client, and never decides one.
//
// Six connections, so that none waits for another's queue: commits and the lease on one, what a payment, a decision or a caller is judged
// by on the second, other reads on the third, what becomes of webhooks on the fourth, on the fifth what was just committed is heard of and
// read, and on the sixth what is kept of keys and their requests.

public import Logging
public import Loop
public import Payments

@LoopActor
public final class Ledger {
    public enum State: Equatable, Sendable {
        /// What commits and what reads stands, and the schema is current.
        case connected
        /// Commits wait; reads answer ``LedgerError/unavailable(_:)``.
        case lost(reason: String)
    }

    /// Told of every change of ``state``.
    public var onState: ((State) -> Void)?
    /// Another process or this one has committed events up to this offset. Only a wake-up: it may get lost.
    public var onHead: ((Int64) -> Void)?
    /// Something was asked of the leader, or was answered. It may get lost too.
    public var onRequests: (() -> Void)?
    /// Every batch that was answered: entries in it, and nanoseconds from sending to the answer.
    public var onBatch: ((_ entries: Int, _ nanoseconds: UInt64) -> Void)?

    public private(set) var state: State = .lost(reason: "not started")

    let dsn: String
    let logger: Logger
    let commits: CommitLane
    let judgements: ReadLane
    let reads: ReadLane
    let webhooks: ReadLane
    let records: ReadLane
    let tail: TailLane
    private var migrator: Migrator?
    private var retry: Timer?
    private var isRunning = false
    private var migrates = true

    /// `dsn` is a libpq connection string or URI; `listenDSN` another one of the same database, for where `dsn` leads
    /// through a pooler.
    public init(dsn: String, listenDSN: String? = nil, logger: Logger) throws(LedgerError) {
        self.dsn = dsn
        self.logger = logger
        commits = CommitLane(try ConnectionSettings(dsn: dsn, role: "commits", statementMilliseconds: 5_000, planning: false), logger: logger)
        judgements = ReadLane(try ConnectionSettings(dsn: dsn, role: "judgements", statementMilliseconds: 10_000), logger: logger)
        reads = ReadLane(try ConnectionSettings(dsn: dsn, role: "reads", statementMilliseconds: 10_000), logger: logger)
        webhooks = ReadLane(try ConnectionSettings(dsn: dsn, role: "webhooks", statementMilliseconds: 10_000), logger: logger)
        records = ReadLane(try ConnectionSettings(dsn: dsn, role: "records", statementMilliseconds: 5_000), logger: logger)
        tail = TailLane(try ConnectionSettings(dsn: listenDSN ?? dsn, role: "tail", statementMilliseconds: 10_000), logger: logger)
    }

    /// Migrates, then connects; goes on trying until ``close()``. Without `migrates` it waits until somebody else has
    /// brought the schema up to date.
    public func start(migrates: Bool = true) {
        self.migrates = migrates
        guard !isRunning else { return }
        isRunning = true
        commits.onChange = { [weak self] in self?.connectionChanged() }
        judgements.onChange = { [weak self] in self?.connectionChanged() }
        reads.onChange = { [weak self] in self?.connectionChanged() }
        webhooks.onChange = { [weak self] in self?.connectionChanged() }
        records.onChange = { [weak self] in self?.connectionChanged() }
        commits.onBatch = { [weak self] in self?.onBatch?($0, $1) }
        tail.onHead = { [weak self] in self?.onHead?($0) }
        tail.onRequests = { [weak self] in self?.onRequests?() }
        bringUp()
    }

    /// Breaks the connections off. Entries that are not answered stay so: their outcome is for the next process to find.
    public func close() {
        isRunning = false
        retry?.cancel()
        migrator = nil
        commits.close()
        judgements.close()
        reads.close()
        webhooks.close()
        records.close()
        tail.close()
    }

    private func bringUp() {
        guard isRunning else { return }
        guard let migrator = try? Migrator(dsn: dsn, applies: migrates) else { return }
        self.migrator = migrator
        migrator.run { [weak self] outcome in
            guard let self, self.isRunning else { return }
            self.migrator = nil
            switch outcome {
            case .success(let versions):
                guard self.migrates || versions.isEmpty else {
                    return self.tryAgain("the schema is not up to date; `leyden migrate` brings it there")
                }
                if !versions.isEmpty { self.logger.info("database migrated", metadata: ["versions": "\(versions)"]) }
                self.commits.open()
                self.judgements.open()
                self.reads.open()
                self.webhooks.open()
                self.records.open()
                self.tail.open()
            case .failure(let error):
                self.tryAgain("\(error)")
            }
        }
    }

    private func tryAgain(_ reason: String) {
        change(to: .lost(reason: reason))
        retry = Timer(afterMilliseconds: 1_000) { [weak self] in self?.bringUp() }
    }

    private func connectionChanged() {
        if let reason = commits.problem ?? judgements.problem ?? reads.problem ?? webhooks.problem ?? records.problem {
            // Before the first connection nothing is lost.
            if state == .connected { change(to: .lost(reason: reason)) }
        } else {
            change(to: .connected)
        }
    }

    private func change(to state: State) {
        guard state != self.state else { return }
        self.state = state
        switch state {
        case .connected: logger.info("database connected")
        case .lost(let reason): logger.warning("database lost", metadata: ["reason": "\(reason)"])
        }
        onState?(state)
    }

    // MARK: Commits

    /// Makes a change durable. What is handed over in one turn of the loop, and what gathers while the statement before
    /// is under way, goes to the server in one statement. The completion runs once, however long the database is away.
    public func commit(_ entry: CommitEntry, completion: @escaping @LoopActor (CommitResult) -> Void) {
        commits.commit(entry, completion)
    }

    /// Gives back a decision of the present term that has not been answered, if it need not be carried out: it is in no
    /// statement under way. Whatever becomes of it, it is answered once.
    public func withdraw(_ id: ChangeID) { commits.withdraw(id) }

    /// Entries that are not answered yet.
    public var pendingCommits: Int { commits.pending }

    // MARK: The lease

    /// The term that this process leads; `nil` if it does not.
    public var currentTerm: Int64? { commits.term }

    /// Tries to become the leader. `nil` while another instance's lease runs. `instance` must be unique to the process.
    public func acquireLease(
        instance: String, milliseconds: Int64, completion: @escaping @LoopActor (Result<Int64?, LedgerError>) -> Void
    ) {
        commits.acquireLease(instance, milliseconds, completion)
    }

    /// Prolongs the lease. `false`: somebody else leads now, and ``currentTerm`` is `nil`. An error changes nothing.
    public func renewLease(milliseconds: Int64, completion: @escaping @LoopActor (Result<Bool, LedgerError>) -> Void) {
        commits.renewLease(milliseconds, completion)
    }

    /// Gives the lease back, so that a successor need not wait for its end. ``currentTerm`` is `nil` at once: entries that
    /// are not answered end as deposed.
    public func releaseLease(completion: @escaping @LoopActor (Result<Void, LedgerError>) -> Void) {
        commits.releaseLease(completion)
    }
}
