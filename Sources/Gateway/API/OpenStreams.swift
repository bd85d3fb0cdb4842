internal import Loop
internal import Payments

/// The streams and long polls that are open, each with its own filter.
///
/// Most of them wait for one invoice, so those are found by its hash: an event costs nothing for the others.
@LoopActor
final class OpenStreams {
    private typealias Feeds = [ObjectIdentifier: EventFeed]

    private var ofInvoice: [PaymentHash: Feeds] = [:]
    private var others: Feeds = [:]

    func add(_ feed: EventFeed) {
        if let hash = feed.filter.paymentHash {
            ofInvoice[hash, default: [:]][ObjectIdentifier(feed)] = feed
        } else {
            others[ObjectIdentifier(feed)] = feed
        }
    }

    func remove(_ feed: EventFeed) {
        feed.close()
        guard let hash = feed.filter.paymentHash else {
            others[ObjectIdentifier(feed)] = nil
            return
        }
        ofInvoice[hash]?[ObjectIdentifier(feed)] = nil
        if ofInvoice[hash]?.isEmpty == true { ofInvoice[hash] = nil }
    }

    func published(_ events: [PublishedEvent]) {
        for feed in others.values { feed.published(events) }
        guard !ofInvoice.isEmpty else { return }
        var byInvoice: [PaymentHash: [PublishedEvent]] = [:]
        for event in events {
            guard let hash = event.paymentHash, ofInvoice[hash] != nil else { continue }
            byInvoice[hash, default: []].append(event)
        }
        for (hash, events) in byInvoice {
            for feed in (ofInvoice[hash] ?? [:]).values { feed.published(events) }
        }
    }
}
