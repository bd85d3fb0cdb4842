internal import Logging
internal import Loop
internal import Payments

/// The connection that writes: one batch under way, the next one gathering.
///
/// One batch at a time keeps the order of an invoice's changes whatever fails, and a bigger batch is the cheaper one.
/// An entry leaves the lane only with an answer. A batch that the server refuses is split, down to the guilty entry.
@LoopActor
final class CommitLane {
    private struct Pending {
        let entry: CommitEntry
        /// The term under which it was handed over.
        let term: Int64?
        let completion: @LoopActor (CommitResult) -> Void
        /// The answer to an attempt was lost: it may have been committed, or the server may be at it still.
        var mayBeStored = false
    }

    /// Measured: up to here a bigger batch costs less per entry, beyond it more.
    static let largestBatch = 256

    var onChange: (() -> Void)?
    var onBatch: ((Int, UInt64) -> Void)?
    /// Why nothing can be written; `nil` while all is well.
    private(set) var problem: String? = "not connected"
    private(set) var term: Int64? { didSet { if term != oldValue { withdrawals = [] } } }

    private let logger: Logger
    private let link: Link
    private var queue: [Pending] = []
    private var inFlight: [Pending] = []
    /// Entries of the present term that are wanted back.
    private var withdrawals: Set<ChangeID> = []
    private let turnEnd = OncePerTurn()
    private var pause: Timer?
    private var pauses = 0
    /// How many entries the next batch may have; falls to halves after a refusal and recovers.
    private var allowance = CommitLane.largestBatch
    /// Under which name the lease was taken.
    private var instance: String?

    init(_ settings: ConnectionSettings, logger: Logger) {
        self.logger = logger
        link = Link(settings, logger: logger)
    }

    func open() {
        link.onChange = { [weak self] problem in
            guard let self else { return }
            self.problem = problem
            self.onChange?()
            if problem == nil { self.schedule() }
        }
        link.open()
    }

    func close() {
        pause?.cancel()
        link.close()
    }

    var pending: Int { queue.count + inFlight.count }

    // MARK: Batches

    func commit(_ entry: CommitEntry, _ completion: @escaping @LoopActor (CommitResult) -> Void) {
        queue.append(Pending(entry: entry, term: term, completion: completion))
        schedule()
    }

    func withdraw(_ id: ChangeID) {
        withdrawals.insert(id)
        schedule()
    }

    private func schedule() {
        turnEnd.run { [weak self] in self?.sendBatch() }
    }

    private func sendBatch() {
        rejectDeposed()
        giveBack()
        guard inFlight.isEmpty, pause == nil, !queue.isEmpty, let connection = link.ready else { return }
        inFlight = Array(queue.prefix(allowance))
        queue.removeFirst(inFlight.count)
        let entries = inFlight.map(\.entry)
        let order = CommitStatement.waves(entries)
        let term = entries.contains(where: \.needsLease) ? term : nil
        let sentAt = Clock.monotonicNanoseconds
        connection.submit([CommitStatement.step(term: term, entries: entries, order: order)]) { [weak self] outcome in
            guard let self else { return }
            switch outcome {
            case .success(let results):
                self.pauses = 0
                self.onBatch?(entries.count, Clock.monotonicNanoseconds - sentAt)
                self.committed(results[0], order: order.map(\.index))
            case .failure(let failure): self.failed(failure, term: term)
            }
        }
    }

    /// What was handed over under another term is not this leader's to write.
    private func rejectDeposed() {
        guard queue.contains(where: { $0.entry.needsLease && ($0.term == nil || $0.term != term) }) else { return }
        let deposed = queue.filter { $0.entry.needsLease && ($0.term == nil || $0.term != term) }
        queue.removeAll { $0.entry.needsLease && ($0.term == nil || $0.term != term) }
        for pending in deposed { pending.completion(.deposed) }
    }

    /// What is under way when it is wanted back is given back after all if its answer gets lost.
    private func giveBack() {
        guard !withdrawals.isEmpty else { return }
        let wanted = withdrawals
        withdrawals.formIntersection(inFlight.compactMap(\.entry.id))
        let isWanted = { (pending: Pending) in pending.entry.isWithdrawable && pending.entry.id.map(wanted.contains) ?? false }
        let back = queue.filter(isWanted)
        queue.removeAll(where: isWanted)
        for pending in back { pending.completion(.withdrawn(mayBeStored: pending.mayBeStored)) }
    }

    private func committed(_ rows: Rows, order: [Int]) {
        let batch = inFlight
        guard let answer = CommitStatement.read(rows, count: batch.count) else {
            return failed(.lost("malformed answer"), term: term)
        }
        inFlight = []
        allowance = min(allowance * 2, Self.largestBatch)
        var head = answer.head
        var refused: [Pending] = []
        for (position, index) in order.enumerated() {
            let pending = batch[index]
            let outcome = answer.outcomes[position]
            switch outcome {
            case .refused: refused.append(pending)
            case .repeated: pending.completion(.repeated)
            case .appliedWithNewInvoice, .appliedToInvoice, .appliedToAcceptedSet, .applied, .voided:
                let events = CommitStatement.published(pending.entry, outcome, account: answer.accounts[position], after: &head)
                pending.completion(.applied(events))
            }
        }
        if refused.isEmpty { schedule() } else { explain(refused) }
    }

    /// A refusal is answered with what is stored. If the database cannot be asked the entries are simply tried again. With
    /// `sqlState` it is the server that refuses, not the function. Of an invoice in which something is unknown to this
    /// version it is not known either what became of the change.
    private func explain(_ refused: [Pending], sqlState: String? = nil) {
        inFlight = refused
        guard let connection = link.ready else { return tryAgain() }
        let hashes = refused.compactMap(\.entry.change.step.paymentHash)
        connection.submit([StoredSetQuery.lookup(hashes)]) { [weak self] outcome in
            guard let self else { return }
            switch outcome {
            case .success(let results):
                let read = StoredSetQuery.read(results[0])
                let answered = self.inFlight
                self.inFlight = []
                for pending in answered {
                    let hash = pending.entry.change.step.paymentHash
                    if let hash, let problem = read.unreadable[hash] {
                        self.logger.critical("a refused change cannot be judged", metadata: ["payment_hash": "\(hash)", "reason": "\(problem)"])
                        pending.completion(.withdrawn(mayBeStored: true))
                        continue
                    }
                    let stored = read.sets.first { $0.paymentHash == hash }
                    pending.completion(sqlState.map { .failed(sqlState: $0, stored) } ?? .refused(stored))
                }
                self.schedule()
            case .failure: self.tryAgain()
            }
        }
    }

    private func failed(_ failure: StatementFailure, term attempted: Int64?) {
        switch failure {
        case .lost:
            for index in inFlight.indices { inFlight[index].mayBeStored = true }
            tryAgain()
        case .transient:
            logger.warning("commit delayed", metadata: ["reason": "\(failure.text)", "entries": "\(inFlight.count)"])
            tryAgain()
        case .deposed:
            if attempted == term { loseTerm() }
            queue.insert(contentsOf: inFlight, at: 0)
            inFlight = []
            schedule()
        case .rejected(let state, _) where inFlight.count == 1:
            let guilty = inFlight[0]
            logger.error("commit failed", metadata: ["reason": "\(failure.text)"])
            // What is stored now does not say what an attempt still under way will do.
            guard guilty.mayBeStored, guilty.entry.isWithdrawable else { return explain([guilty], sqlState: state) }
            inFlight = []
            guilty.completion(.withdrawn(mayBeStored: true))
            schedule()
        case .rejected:
            logger.error("commit refused, looking for the entry", metadata: ["reason": "\(failure.text)", "entries": "\(inFlight.count)"])
            allowance = max(1, inFlight.count / 2)
            queue.insert(contentsOf: inFlight, at: 0)
            inFlight = []
            schedule()
        }
    }

    /// Sooner the first time: most interruptions are short.
    private func tryAgain() {
        queue.insert(contentsOf: inFlight, at: 0)
        inFlight = []
        guard pause == nil else { return }
        pauses += 1
        pause = Timer(afterMilliseconds: min(20 << UInt64(min(pauses, 6)), 1_000)) { [weak self] in
            self?.pause = nil
            self?.schedule()
        }
    }

    // MARK: The lease

    private func loseTerm() {
        term = nil
        logger.warning("deposed: another process leads")
    }

    func acquireLease(_ instance: String, _ milliseconds: Int64, _ completion: @escaping @LoopActor (Result<Int64?, LedgerError>) -> Void) {
        ask(LeaseQuery.acquire(instance, milliseconds), completion) { [weak self] rows in
            guard rows.count == 1 else { return nil }
            self?.instance = instance
            self?.term = rows.integer(0, 0)
            return rows.integer(0, 0)
        }
    }

    func renewLease(_ milliseconds: Int64, _ completion: @escaping @LoopActor (Result<Bool, LedgerError>) -> Void) {
        guard let term, let instance else { return LoopActor.atEndOfTurn { completion(.success(false)) } }
        ask(LeaseQuery.renew(instance, term, milliseconds), completion) { [weak self] rows in
            if rows.count == 0, self?.term == term {
                self?.loseTerm()
                self?.schedule()
            }
            return rows.count == 1
        }
    }

    func releaseLease(_ completion: @escaping @LoopActor (Result<Void, LedgerError>) -> Void) {
        guard let term, let instance else { return LoopActor.atEndOfTurn { completion(.success(())) } }
        self.term = nil
        ask(LeaseQuery.release(instance, term), completion) { _ in }
        schedule()
    }

    private func ask<Value>(
        _ step: Step, _ completion: @escaping @LoopActor (Result<Value, LedgerError>) -> Void, _ read: @escaping @LoopActor (Rows) -> Value
    ) {
        guard let connection = link.ready else {
            let reason = problem ?? "not connected"
            return LoopActor.atEndOfTurn { completion(.failure(.unavailable(reason))) }
        }
        connection.submit([step]) { outcome in
            switch outcome {
            case .success(let results): completion(.success(read(results[0])))
            case .failure(let failure): completion(.failure(LedgerError(failure)))
            }
        }
    }
}
