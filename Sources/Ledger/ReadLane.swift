internal import Logging
internal import Loop
internal import Payments

/// The connection that reads.
///
/// Lookups for the payment path gather over a turn, wait while the database is away and are asked again; all other
/// reads fail at once then, because their callers can.
@LoopActor
final class ReadLane {
    private struct Lookup {
        let hashes: [PaymentHash]
        let completion: @LoopActor ([StoredSet]) -> Void
    }

    var onChange: (() -> Void)?
    private(set) var problem: String? = "not connected"

    private let link: Link
    private var lookups: [Lookup] = []
    private var starts: [@LoopActor ([StoredSet]) -> Void] = []
    private let turnEnd = OncePerTurn()
    private var retry: Timer?
    /// What cannot be read is told once.
    private var unreadable: Set<PaymentHash> = []
    private let logger: Logger

    init(_ settings: ConnectionSettings, logger: Logger) {
        self.logger = logger
        link = Link(settings, logger: logger)
    }

    func open() {
        link.onChange = { [weak self] problem in
            guard let self else { return }
            self.problem = problem
            self.onChange?()
            self.schedule()
        }
        link.open()
    }

    func close() {
        retry?.cancel()
        link.close()
    }

    func read<Value>(
        _ step: Step, _ completion: @escaping @LoopActor (Result<Value, LedgerError>) -> Void,
        _ decode: @escaping @LoopActor (Rows) throws(LedgerError) -> Value
    ) {
        read([step], completion) { rows throws(LedgerError) in try decode(rows[0]) }
    }

    /// Several questions in one transaction, each of which sees what was committed when it runs.
    func read<Value>(
        _ steps: [Step], _ completion: @escaping @LoopActor (Result<Value, LedgerError>) -> Void,
        _ decode: @escaping @LoopActor ([Rows]) throws(LedgerError) -> Value
    ) {
        guard let connection = link.ready else {
            let reason = problem ?? "not connected"
            return LoopActor.atEndOfTurn { completion(.failure(.unavailable(reason))) }
        }
        connection.submit(steps) { outcome in
            switch outcome {
            case .failure(let failure): completion(.failure(LedgerError(failure)))
            case .success(let rows):
                do throws(LedgerError) {
                    completion(.success(try decode(rows)))
                } catch {
                    completion(.failure(error))
                }
            }
        }
    }

    func lookup(_ hashes: [PaymentHash], _ completion: @escaping @LoopActor ([StoredSet]) -> Void) {
        lookups.append(Lookup(hashes: hashes, completion: completion))
        schedule()
    }

    func unresolved(_ completion: @escaping @LoopActor ([StoredSet]) -> Void) {
        starts.append(completion)
        schedule()
    }

    private func schedule() {
        guard !lookups.isEmpty || !starts.isEmpty else { return }
        turnEnd.run { [weak self] in self?.send() }
    }

    private func send() {
        guard let connection = link.ready, retry == nil else { return }
        let lookups = lookups
        let starts = starts
        self.lookups = []
        self.starts = []
        if !lookups.isEmpty {
            connection.submit([StoredSetQuery.lookup(lookups.lazy.flatMap(\.hashes))]) { [weak self] outcome in
                guard let self else { return }
                guard case .success(let results) = outcome else {
                    self.lookups.insert(contentsOf: lookups, at: 0)
                    return self.tryAgain()
                }
                let read = StoredSetQuery.read(results[0])
                self.tell(read.unreadable)
                let found = Dictionary(read.sets.map { ($0.paymentHash, $0) }) { first, _ in first }
                for lookup in lookups {
                    guard lookup.hashes.allSatisfy({ read.unreadable[$0] == nil }) else {
                        self.later { $0.lookups.append(lookup) }
                        continue
                    }
                    lookup.completion(lookup.hashes.compactMap { found[$0] })
                }
            }
        }
        guard !starts.isEmpty else { return }
        connection.submit([StoredSetQuery.unresolved]) { [weak self] outcome in
            guard let self else { return }
            guard case .success(let results) = outcome else {
                self.starts.insert(contentsOf: starts, at: 0)
                return self.tryAgain()
            }
            let read = StoredSetQuery.read(results[0])
            self.tell(read.unreadable)
            guard read.unreadable.isEmpty else { return self.later { $0.starts += starts } }
            for completion in starts { completion(read.sets) }
        }
    }

    /// Somebody has to look at it, or run the version that has written it.
    private func tell(_ problems: [PaymentHash: LedgerError]) {
        for (hash, problem) in problems where unreadable.insert(hash).inserted {
            logger.critical("an invoice cannot be read; nothing is decided about it", metadata: ["payment_hash": "\(hash)", "reason": "\(problem)"])
        }
    }

    private func later(_ ask: @escaping @LoopActor (ReadLane) -> Void) {
        _ = Timer(afterMilliseconds: 1_000) { [weak self] in
            guard let self else { return }
            ask(self)
            schedule()
        }
    }

    private func tryAgain() {
        guard retry == nil else { return }
        retry = Timer(afterMilliseconds: 100) { [weak self] in
            self?.retry = nil
            self?.schedule()
        }
    }
}
