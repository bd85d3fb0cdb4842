internal import Ledger
internal import Loop
internal import Payments
internal import Wire

/// What happened to single invoices: out of memory by an index, and else one question for many of them.
@LoopActor
final class InvoiceHistory {
    private struct Waiting {
        var place: InvoicePlace
        var account: Int64?
        var types: [EventType]
        var limit: Int
        var answer: EventHistory.Answer
    }

    private static let batch = 1000

    private let ledger: Ledger
    private let asked: @LoopActor () -> Void
    /// The recent events by invoice.
    private var recent: [PaymentHash: [PublishedEvent]] = [:]
    /// Everything after the lower bound, up to the upper one, is remembered.
    var reach: ClosedRange<Int64> = 0...0
    private var waiting: [Waiting] = []
    private var isAsking = false
    private let turnEnd = OncePerTurn()

    init(ledger: Ledger, asked: @escaping @LoopActor () -> Void) {
        self.ledger = ledger
        self.asked = asked
    }

    func start(at head: Int64) { reach = head...head }

    func remember(_ event: PublishedEvent, forgetting dropped: PublishedEvent?) {
        if let hash = event.paymentHash { recent[hash, default: []].append(event) }
        guard let hash = dropped?.paymentHash else { return }
        // The oldest of all is the oldest of its invoice.
        recent[hash]?.removeFirst()
        if recent[hash]?.isEmpty == true { recent[hash] = nil }
    }

    func events(_ place: InvoicePlace, account: Int64?, types: [EventType], _ limit: Int, _ answer: @escaping EventHistory.Answer) {
        let waiter = Waiting(place: place, account: account, types: types, limit: limit, answer: answer)
        guard place.after < reach.lowerBound else {
            return give(waiter, recent(place.paymentHash, after: place.after), first: place.after + 1)
        }
        waiting.append(waiter)
        schedule()
    }

    private func recent(_ hash: PaymentHash, after: Int64) -> [PublishedEvent] { recent[hash]?.filter { $0.offset > after } ?? [] }

    /// `events` were read from the store, up to `head` at least; what was published since is added.
    private func give(_ waiter: Waiting, _ events: [PublishedEvent], asOf head: Int64, first: Int64) {
        let isWhole = events.count < EventHistory.maximumLimit
        let more = isWhole ? recent(waiter.place.paymentHash, after: max(head, events.last?.offset ?? 0)) : []
        give(waiter, events + more, first: first)
    }

    private func give(_ waiter: Waiting, _ events: [PublishedEvent], first: Int64) {
        let filter = EventFilter(account: waiter.account, types: waiter.types)
        let mine = Array(events.lazy.filter(filter.admits).prefix(waiter.limit))
        waiter.answer(.success(PastEvents(events: mine, head: max(reach.upperBound, mine.last?.offset ?? 0), first: first)))
    }

    /// What gathers in a turn, and while the question before is under way, is asked for together.
    private func schedule() {
        guard !isAsking, !waiting.isEmpty else { return }
        turnEnd.run { [self] in ask() }
    }

    private func ask() {
        var places: [InvoicePlace: Int] = [:]
        var asking: [(place: Int, waiter: Waiting)] = []
        var rest: [Waiting] = []
        for waiter in waiting {
            if places[waiter.place] == nil, places.count < Self.batch { places[waiter.place] = places.count }
            if let place = places[waiter.place] { asking.append((place, waiter)) } else { rest.append(waiter) }
        }
        waiting = rest
        isAsking = true
        let head = reach.upperBound
        let ordered = places.sorted { $0.value < $1.value }.map(\.key)
        asked()
        ledger.past(of: ordered, limit: EventHistory.maximumLimit) { [self] result in
            isAsking = false
            switch result {
            case .failure:
                for (_, waiter) in asking { waiter.answer(.failure(.unavailable)) }
            case .success where head < reach.lowerBound:
                // More was published meanwhile than is remembered.
                waiting = asking.map(\.waiter) + waiting
            case .success(let found):
                for (place, waiter) in asking { give(waiter, found.events[place], asOf: head, first: found.first) }
            }
            schedule()
        }
    }
}
