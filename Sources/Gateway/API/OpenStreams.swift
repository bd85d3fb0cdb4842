internal import Loop
internal import Payments
internal import Wire

/// The streams and long polls that are open, each with its own filter, and how many of them somebody may have.
///
/// Most of them wait for one invoice, so those are found by its hash: an event costs nothing for the others.
@LoopActor
final class OpenStreams {
    /// By whose right a stream is open.
    enum Owner: Hashable {
        case key(String)
        case watchToken(PaymentHash)

        init(_ credentials: Credentials) {
            switch credentials {
            case .key(let id, _, _, _): self = .key(id)
            case .watch(let hash): self = .watchToken(hash)
            }
        }
    }

    private struct Entry {
        var feed: EventFeed
        var owner: Owner
        /// The key by which it was opened, which may end before it.
        var right: Credentials?
        var end: @LoopActor () -> Void
        var expel: @LoopActor (Problem) -> Void
    }

    private typealias Entries = [ObjectIdentifier: Entry]

    private let limits: StreamLimits
    private var ofInvoice: [PaymentHash: Entries] = [:]
    private var others: Entries = [:]
    private var owned: [Owner: Int] = [:]
    private(set) var count = 0
    private var isEnding = false

    init(limits: StreamLimits = .init()) { self.limits = limits }

    /// Why this owner cannot have another one now.
    func refusal(for owner: Owner) -> Problem? {
        if isEnding { return .stopping }
        let limit = switch owner {
        case .key: limits.perKey
        case .watchToken: limits.perWatchToken
        }
        if owned[owner, default: 0] >= limit { return .tooManyStreams }
        return count >= limits.total ? .allStreamsTaken : nil
    }

    /// `end` tells the client, in the form of its transport, to come back later, and removes the feed; `expel`, if that is
    /// another thing, tells it how its right has ended.
    func add(
        _ feed: EventFeed, of owner: Owner, right: Credentials? = nil, end: @escaping @LoopActor () -> Void,
        expel: (@LoopActor (Problem) -> Void)? = nil
    ) {
        let entry = Entry(feed: feed, owner: owner, right: right, end: end, expel: expel ?? { _ in end() })
        if let hash = feed.filter.paymentHash {
            ofInvoice[hash, default: [:]][ObjectIdentifier(feed)] = entry
        } else {
            others[ObjectIdentifier(feed)] = entry
        }
        owned[owner, default: 0] += 1
        count += 1
    }

    /// Closes the feed and frees its place. Safe to call twice.
    func remove(_ feed: EventFeed) {
        feed.close()
        let removed: Entry?
        if let hash = feed.filter.paymentHash {
            removed = ofInvoice[hash]?.removeValue(forKey: ObjectIdentifier(feed))
            if ofInvoice[hash]?.isEmpty == true { ofInvoice[hash] = nil }
        } else {
            removed = others.removeValue(forKey: ObjectIdentifier(feed))
        }
        guard let removed else { return }
        count -= 1
        owned[removed.owner, default: 0] -= 1
        if owned[removed.owner] == 0 { owned[removed.owner] = nil }
    }

    /// Ends all that are open and lets no more in.
    func endAll() {
        isEnding = true
        for entry in ofInvoice.values.flatMap(\.values) + others.values { entry.end() }
    }

    /// Ends those whose right has ended.
    func review(_ standing: @LoopActor (Credentials) -> Standing) {
        for entry in ofInvoice.values.flatMap(\.values) + others.values {
            switch entry.right.map(standing) ?? .valid {
            case .valid: break
            case .expired: entry.expel(.expired)
            case .revoked: entry.expel(.unauthorized)
            }
        }
    }

    func published(_ events: [PublishedEvent]) {
        for entry in others.values { entry.feed.published(events) }
        guard !ofInvoice.isEmpty else { return }
        var byInvoice: [PaymentHash: [PublishedEvent]] = [:]
        for event in events {
            guard let hash = event.paymentHash, ofInvoice[hash] != nil else { continue }
            byInvoice[hash, default: []].append(event)
        }
        for (hash, events) in byInvoice {
            for entry in (ofInvoice[hash] ?? [:]).values { entry.feed.published(events) }
        }
    }
}
