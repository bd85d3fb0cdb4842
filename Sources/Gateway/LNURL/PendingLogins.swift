internal import Ledger
internal import Loop
internal import Payments

/// Browsers that show a code and wait for a wallet to make their key good, here or at another process.
@LoopActor
final class PendingLogins {
    /// A client that has not connected by then is closed anyway, and comes again.
    private static let patience: UInt64 = 20_000_000_000
    private static let most = 200

    private let ledger: Ledger
    private var waiting: [Bytes32: (until: UInt64, done: [@LoopActor (APIKeyRecord?) -> Void])] = [:]
    private var ticks: Timer?

    init(ledger: Ledger) { self.ledger = ledger }

    isolated deinit { ticks?.cancel() }

    var count: Int { waiting.count }

    /// Answers when there is a key of this hash, or with `nil` when it has taken too long.
    func wait(for hash: Bytes32, _ done: @escaping @LoopActor (APIKeyRecord?) -> Void) {
        guard waiting.count < Self.most || waiting[hash] != nil else { return done(nil) }
        let known = waiting[hash]?.done ?? []
        waiting[hash] = (Clock.monotonicNanoseconds + Self.patience, known + [done])
        if ticks == nil { ticks = Timer(afterMilliseconds: 1_000, repeats: 1_000) { [weak self] in self?.look() } }
    }

    /// A login was carried out here.
    func made(_ record: APIKeyRecord) { answer(record.hash, record) }

    private func look() {
        let now = Clock.monotonicNanoseconds
        for (hash, entry) in waiting {
            guard entry.until > now else {
                answer(hash, nil)
                continue
            }
            ledger.key(hash: hash) { [self] result in
                if case .success(let record?) = result { answer(hash, record) }
            }
        }
        guard waiting.isEmpty else { return }
        ticks?.cancel()
        ticks = nil
    }

    private func answer(_ hash: Bytes32, _ record: APIKeyRecord?) {
        for done in waiting.removeValue(forKey: hash)?.done ?? [] { done(record) }
    }
}
