internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

/// Finds out who holds an API key or a watch token. REST, streams and WebSocket all ask here.
///
/// Keys are stored hashed, so what is looked up is the hash. An answer is remembered for a few seconds: a revoked key
/// ends within that time.
@LoopActor
final class Authenticator {
    enum Outcome {
        case known(Credentials)
        case unknown
        /// The store cannot say now.
        case unavailable
    }

    private struct Remembered {
        var credentials: Credentials?
        var until: UInt64
    }

    private static let memory: UInt64 = 5_000_000_000
    private static let maximumRemembered = 10_000

    private let ledger: Ledger
    private let watchTokens: WatchTokens
    private var remembered: [Bytes32: Remembered] = [:]
    /// Who waits for a look-up that is under way: a burst with one key asks the store once.
    private var waiting: [Bytes32: [@LoopActor (Outcome) -> Void]] = [:]

    init(ledger: Ledger, watchTokens: WatchTokens) {
        self.ledger = ledger
        self.watchTokens = watchTokens
    }

    func check(_ token: String, _ done: @escaping @LoopActor (Outcome) -> Void) {
        if let hash = watchTokens.paymentHash(of: token) { return done(.known(.watch(hash))) }
        guard APIKeyText.isWellFormed(token) else { return done(.unknown) }
        let hash = APIKeyText.hash(token, by: LibCrypto.self)
        let now = Clock.monotonicNanoseconds
        if let known = remembered[hash], known.until > now { return done(known.credentials.map { .known($0) } ?? .unknown) }
        let isAsked = waiting[hash] != nil
        waiting[hash, default: []].append(done)
        guard !isAsked else { return }
        ledger.key(hash: hash) { [self] result in
            let outcome: Outcome
            switch result {
            case .failure:
                outcome = .unavailable
            case .success(let record):
                var credentials: Credentials?
                if let record, record.revokedAt == nil {
                    credentials = .key(id: record.id, account: record.account, scopes: Scopes(record.scopes.compactMap(Scope.init(rawValue:))))
                }
                // Guessing keys must not fill the memory.
                if remembered.count >= Self.maximumRemembered { remembered.removeAll() }
                remembered[hash] = Remembered(credentials: credentials, until: now + Self.memory)
                outcome = credentials.map { .known($0) } ?? .unknown
            }
            for answer in waiting.removeValue(forKey: hash) ?? [] { answer(outcome) }
        }
    }
}
