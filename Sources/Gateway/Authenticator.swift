internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

/// Finds out who holds an API key or a watch token, and whether that is so still. Every transport asks here.
///
/// Keys are stored hashed, so what is looked up is the hash. An answer is remembered for a few seconds, and the keys of
/// those who are connected are looked at every two: a revoked key ends within that time, an expired one at once.
@LoopActor
final class Authenticator {
    enum Outcome {
        case known(Credentials)
        /// It was good once.
        case expired
        case unknown
        /// The store cannot say now.
        case unavailable
    }

    /// Which secret of which key a hash is.
    private struct Remembered {
        var id: String?
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
    private static let maximumRemembered = 10_000
    private static let minute: UInt64 = 60_000_000_000
    /// Clients are asked after every five seconds.
    private static let watched: UInt64 = 15_000_000_000

    private let ledger: Ledger
    private let watchTokens: WatchTokens
    /// What a key may do that has no limits of its own; zero is no limit.
    private let standard: KeyLimits
    private var remembered: [Bytes32: Remembered] = [:]
    private var known: [String: Known] = [:]
    /// Who waits for a look-up that is under way: a burst with one key asks the store once.
    private var waiting: [Bytes32: [@LoopActor (Outcome) -> Void]] = [:]
    /// When keys were used last, to be written with others.
    private var used: [String: UnixTime] = [:]
    private var reviews: Timer?

    init(ledger: Ledger, watchTokens: WatchTokens, standard: KeyLimits = KeyLimits()) {
        self.ledger = ledger
        self.watchTokens = watchTokens
        self.standard = standard
        reviews = Timer(afterMilliseconds: 2_000, repeats: 2_000) { [weak self] in
            self?.review()
            self?.writeUse()
        }
    }

    isolated deinit { reviews?.cancel() }

    private var now: UnixTime { UnixTime(milliseconds: Clock.wallMilliseconds) }

    func check(_ token: String, _ done: @escaping @LoopActor (Outcome) -> Void) {
        if let hash = watchTokens.paymentHash(of: token) { return done(.known(.watch(hash))) }
        guard APIKeyText.isWellFormed(token) else { return done(.unknown) }
        let hash = APIKeyText.hash(token, by: LibCrypto.self)
        if let entry = remembered[hash], entry.until > Clock.monotonicNanoseconds { return done(outcome(entry)) }
        let isAsked = waiting[hash] != nil
        waiting[hash, default: []].append(done)
        guard !isAsked else { return }
        ledger.key(hash: hash) { [self] result in
            let outcome: Outcome
            switch result {
            case .failure: outcome = .unavailable
            case .success(let record):
                if let record { learned(record) }
                // Guessing keys must not fill the memory.
                if remembered.count >= Self.maximumRemembered { remembered.removeAll() }
                let entry = Remembered(
                    id: record?.id, generation: record.map { $0.hash == hash ? $0.generation : $0.generation - 1 } ?? 0,
                    until: Clock.monotonicNanoseconds + Self.memory)
                remembered[hash] = entry
                outcome = self.outcome(entry)
            }
            for answer in waiting.removeValue(forKey: hash) ?? [] { answer(outcome) }
        }
    }

    private func outcome(_ entry: Remembered) -> Outcome {
        guard let id = entry.id, let key = known[id] else { return .unknown }
        switch Self.standing(of: key.record, entry.generation, at: now) {
        case .revoked: return .unknown
        case .expired: return .expired
        case .valid:
            let moment = Clock.monotonicNanoseconds
            if key.notedAt == 0 || moment - key.notedAt > Self.minute {
                key.notedAt = moment
                used[id] = now
            }
            return .known(.key(id: id, account: key.record.account, scopes: key.scopes, generation: entry.generation))
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
        remembered[record.hash] = Remembered(id: record.id, generation: record.generation, until: Clock.monotonicNanoseconds + Self.memory)
    }

    /// The key as it is stored now.
    func learned(_ record: APIKeyRecord) {
        if let key = known[record.id] { key.record = record } else { known[record.id] = Known(record) }
    }

    private func review() {
        let now = Clock.monotonicNanoseconds
        let ids = known.filter { $0.value.watchedAt > 0 && now - $0.value.watchedAt < Self.watched }.map(\.key)
        guard !ids.isEmpty else { return }
        ledger.keys(ids) { [self] result in
            guard case .success(let records) = result else { return }
            for record in records { learned(record) }
            // A row that somebody has deleted.
            for id in Set(ids).subtracting(records.map(\.id)) { known[id]?.record.revokedAt = self.now }
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
