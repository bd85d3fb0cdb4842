internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

/// Finds out who holds an API key or a watch token, and whether that is so still. Every transport asks here.
///
/// Keys are stored hashed, so what is looked up is the hash. An answer is remembered for a few seconds, and the keys of
/// those who are connected are looked at every two: a revoked key ends within that time, an expired one at once. Of texts that
/// were never good only so many are looked up in a second: whoever guesses takes neither the store nor the others' place. That
/// this holds from the start, the hashes of the keys that were used last are read then.
@LoopActor
final class Authenticator {
    enum Outcome {
        case known(Credentials)
        /// It was good once.
        case expired
        case unknown
        /// More unknown keys are shown than are looked up.
        case busy
        /// The store cannot say now.
        case unavailable
    }

    /// Which secret of which key a hash is. That never changes; whether it is still so is known until a moment.
    private struct Secret {
        var id: String
        var generation: Int32
        var until: UInt64
    }

    /// A key that there is.
    private final class Known {
        var record: APIKeyRecord
        let scopes: Scopes
        var rate: RequestRate?
        /// When somebody was asked about who is connected with it.
        var watchedAt: UInt64 = 0
        var notedAt: UInt64 = 0

        init(_ record: APIKeyRecord) {
            self.record = record
            scopes = Scopes(record.scopes.compactMap(Scope.init(rawValue:)))
        }
    }

    private static let memory: UInt64 = 5_000_000_000
    /// How many hashes that belong to no known key are looked up in a second. What is remembered of them is bounded by it too.
    static let guessesPerSecond: Int64 = 200
    private static let minute: UInt64 = 60_000_000_000
    /// Clients are asked after every five seconds.
    private static let watched: UInt64 = 15_000_000_000

    private let ledger: Ledger
    private let watchTokens: WatchTokens
    /// What a key may do that has no limits of its own; zero is no limit.
    private let standard: KeyLimits
    private var secrets: [Bytes32: Secret] = [:]
    /// Hashes of no key, and until when that is remembered.
    private var strange: [Bytes32: UInt64] = [:]
    private var guesses = RequestRate(perSecond: guessesPerSecond)
    private var known: [String: Known] = [:]
    /// Who waits for a look-up that is under way: a burst with one key asks the store once.
    private var waiting: [Bytes32: [@LoopActor (Outcome) -> Void]] = [:]
    /// When keys were used last, to be written with others.
    private var used: [String: UnixTime] = [:]
    private var reviews: Timer?
    /// How many keys are known of from the start.
    private static let mostRecalled = 20_000
    private var isRecalled = false

    init(ledger: Ledger, watchTokens: WatchTokens, standard: KeyLimits = KeyLimits()) {
        self.ledger = ledger
        self.watchTokens = watchTokens
        self.standard = standard
        reviews = Timer(afterMilliseconds: 2_000, repeats: 2_000) { [weak self] in
            self?.forgetStrange()
            self?.review()
            self?.writeUse()
            self?.recall()
        }
        recall()
    }

    /// What is recalled is looked up when it is shown, but not as a guess. Tried again until the store has answered once.
    private func recall() {
        guard !isRecalled else { return }
        ledger.recentKeys(limit: Self.mostRecalled) { [weak self] result in
            guard let self, !isRecalled, case .success(let records) = result else { return }
            isRecalled = true
            for record in records {
                learned(record)
                recall(record.hash, record.id, record.generation)
                if let previous = record.previousHash { recall(previous, record.id, record.generation - 1) }
            }
        }
    }

    private func recall(_ hash: Bytes32, _ id: String, _ generation: Int32) {
        if secrets[hash] == nil { secrets[hash] = Secret(id: id, generation: generation, until: 0) }
    }

    isolated deinit { reviews?.cancel() }

    private var now: UnixTime { UnixTime(milliseconds: Clock.wallMilliseconds) }

    func check(_ token: String, _ done: @escaping @LoopActor (Outcome) -> Void) {
        if let hash = watchTokens.paymentHash(of: token) { return done(.known(.watch(hash))) }
        guard APIKeyText.isWellFormed(token) else { return done(.unknown) }
        let hash = APIKeyText.hash(token, by: LibCrypto.self)
        let moment = Clock.monotonicNanoseconds
        if let secret = secrets[hash], secret.until > moment { return done(outcome(secret)) }
        if let end = strange[hash], end > moment { return done(.unknown) }
        guard waiting[hash] == nil else { return waiting[hash, default: []].append(done) }
        if secrets[hash] == nil, guesses.take(at: moment).isExceeded { return done(.busy) }
        waiting[hash] = [done]
        ledger.key(hash: hash) { [self] result in
            let outcome = found(result, hash)
            for answer in waiting.removeValue(forKey: hash) ?? [] { answer(outcome) }
        }
    }

    private func found(_ result: Result<APIKeyRecord?, LedgerError>, _ hash: Bytes32) -> Outcome {
        guard case .success(let record) = result else { return .unavailable }
        let end = Clock.monotonicNanoseconds + Self.memory
        guard let record else {
            // One that was replaced twice is as strange as one that never was.
            secrets[hash] = nil
            strange[hash] = end
            return .unknown
        }
        learned(record)
        let secret = Secret(id: record.id, generation: record.hash == hash ? record.generation : record.generation - 1, until: end)
        secrets[hash] = secret
        return outcome(secret)
    }

    private func forgetStrange() {
        let moment = Clock.monotonicNanoseconds
        strange = strange.filter { $0.value > moment }
    }

    private func outcome(_ secret: Secret) -> Outcome {
        let id = secret.id
        guard let key = known[id] else { return .unknown }
        switch Self.standing(of: key.record, secret.generation, at: now) {
        case .revoked: return .unknown
        case .expired: return .expired
        case .valid:
            let moment = Clock.monotonicNanoseconds
            if key.notedAt == 0 || moment - key.notedAt > Self.minute {
                key.notedAt = moment
                used[id] = now
            }
            return .known(.key(id: id, account: key.record.account, scopes: key.scopes, generation: secret.generation))
        }
    }

    // MARK: Afterwards

    /// What has become of somebody's right. Not waited for: what is not known yet is so at the next time.
    func standing(of credentials: Credentials) -> Standing {
        guard case .key(let id, _, _, let generation) = credentials, let key = known[id] else { return .valid }
        key.watchedAt = Clock.monotonicNanoseconds
        return Self.standing(of: key.record, generation, at: now)
    }

    private static func standing(of key: APIKeyRecord, _ generation: Int32, at time: UnixTime) -> Standing {
        if key.revokedAt != nil { return .revoked }
        if let end = key.expiresAt, end <= time { return .expired }
        if generation == key.generation { return .valid }
        guard generation == key.generation - 1, let end = key.previousUntil, end > time else { return .expired }
        return .valid
    }

    /// A key that was stored just now, which somebody may have asked for before.
    func made(_ record: APIKeyRecord) {
        learned(record)
        strange[record.hash] = nil
        secrets[record.hash] = Secret(id: record.id, generation: record.generation, until: Clock.monotonicNanoseconds + Self.memory)
    }

    /// The key as it is stored. What was read earlier may arrive later, and must not give back what was taken since.
    func learned(_ record: APIKeyRecord) {
        guard let key = known[record.id] else { return known[record.id] = Known(record) }
        guard record.changed >= key.record.changed else { return }
        let isRotated = record.generation > key.record.generation
        key.record = record
        if isRotated { secrets = secrets.filter { $0.value.id != record.id || $0.value.generation >= record.generation - 1 } }
    }

    private func review() {
        let now = Clock.monotonicNanoseconds
        let ids = known.filter { $0.value.watchedAt > 0 && now - $0.value.watchedAt < Self.watched }.map(\.key)
        guard !ids.isEmpty else { return }
        ledger.keys(ids) { [self] result in
            guard case .success(let records) = result else { return }
            for record in records { learned(record) }
            // A row that somebody has deleted.
            for id in Set(ids).subtracting(records.map(\.id)) {
                known[id]?.record.revokedAt = self.now
                known[id]?.record.changed = .max
            }
        }
    }

    private func writeUse() {
        guard !used.isEmpty else { return }
        let times = used
        used = [:]
        ledger.noteUse(times) { [self] result in
            // It can wait for the next time, but not for a later use.
            if case .failure = result { used.merge(times) { later, _ in later } }
        }
    }

    // MARK: Limits

    /// Takes one request from what the key may have; `nil` if nothing limits it.
    func take(_ credentials: Credentials) -> Quota? {
        guard case .key(let id, _, _, _) = credentials, let key = known[id] else { return nil }
        let rate = key.record.limits.rate ?? standard.rate ?? 0
        guard rate > 0 else { return nil }
        if key.rate?.perSecond != rate { key.rate = RequestRate(perSecond: rate) }
        return key.rate?.take(at: Clock.monotonicNanoseconds)
    }

    /// How many open invoices the key may have; `nil` if nothing limits it.
    func openInvoiceLimit(of keyID: String) -> Int64? {
        let limit = known[keyID]?.record.limits.openInvoices ?? standard.openInvoices ?? 0
        return limit > 0 ? limit : nil
    }

    /// The key of somebody who was let in.
    func record(of keyID: String) -> APIKeyRecord? { known[keyID]?.record }
}
