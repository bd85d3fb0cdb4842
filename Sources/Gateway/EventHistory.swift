internal import Fanout
internal import Ledger
internal import Loop
internal import Payments

/// What lies in the past, for everybody who comes back: out of memory where it reaches, and else one question to the
/// store for all who ask for the same stretch.
///
/// An answer is complete up to the turn of the loop in which it is given: whoever listens from that turn on misses nothing.
@LoopActor
final class EventHistory {
    enum Failure: Error, Equatable { case unavailable }
    typealias Answer = @LoopActor (Result<PastEvents, Failure>) -> Void

    /// The most that can be asked for at once.
    static let maximumLimit = 500
    /// Offsets within such a stretch share a page.
    private static let stretch: Int64 = 512
    /// How many of the newest are at hand.
    static let recentEvents: Int64 = 4096
    private static let maximumBytes = 32 << 20

    private struct Key: Hashable {
        var filter: EventFilter
        var start: Int64
    }

    private struct Waiting {
        var after: Int64
        var limit: Int
        var answer: Answer
    }

    private let ledger: Ledger
    /// For how long a page is kept.
    private let memoryNanoseconds: UInt64
    private let invoices: InvoiceHistory
    private let asked: @LoopActor () -> Void
    private var recent = RecentEvents(limit: Int(recentEvents))
    private var pages: [Key: (page: HistoryPage, until: UInt64)] = [:]
    private var order: [Key] = []
    private var bytes = 0
    private var waiting: [Key: [Waiting]] = [:]
    private var ahead: [Waiting] = []
    private var sweep: Timer?

    /// `asked` runs for every question to the store.
    init(ledger: Ledger, memorySeconds: UInt64 = 5, asked: @escaping @LoopActor () -> Void) {
        self.ledger = ledger
        memoryNanoseconds = memorySeconds * 1_000_000_000
        self.asked = asked
        invoices = InvoiceHistory(ledger: ledger, asked: asked)
    }

    /// The offset up to which events were published here.
    var head: Int64? { recent.newest }

    /// `events` are the newest up to the head, without a gap. Before this nothing can be answered.
    func start(at head: Int64, _ events: [PublishedEvent]) {
        guard recent.newest == nil else { return }
        recent.begin(after: (events.first?.offset ?? head + 1) - 1)
        invoices.start(at: head)
        published(events)
    }

    /// The publisher's events, all of them, in order.
    func published(_ events: [PublishedEvent]) {
        for event in events {
            let dropped = recent.append(event)
            invoices.remember(event, forgetting: dropped)
        }
        invoices.reach = (recent.reach ?? 0)...max(recent.reach ?? 0, recent.newest ?? 0)
    }

    /// What came after the offset, at most `limit` events.
    func events(_ filter: EventFilter, after: Int64, limit: Int, _ answer: @escaping Answer) {
        guard let head = recent.newest else { return LoopActor.atEndOfTurn { answer(.failure(.unavailable)) } }
        let limit = min(limit, Self.maximumLimit)
        if after == head { return answer(.success(PastEvents(events: [], head: head, first: head + 1))) }
        if after > head { return askAhead(Waiting(after: after, limit: limit, answer: answer)) }
        if let hash = filter.paymentHash {
            return invoices.events(InvoicePlace(paymentHash: hash, after: after), account: filter.account, types: filter.types, limit, answer)
        }
        let key = Key(filter: filter, start: after - after % Self.stretch)
        if let page = page(key, for: after) { return answer(.success(page.answer(after: after, limit: limit))) }
        let isAsked = waiting[key] != nil
        waiting[key, default: []].append(Waiting(after: after, limit: limit, answer: answer))
        if !isAsked { ask(key) }
    }

    // MARK: Pages

    /// One that can answer at this moment, out of memory.
    private func page(_ key: Key, for after: Int64) -> HistoryPage? {
        if let known = pages[key]?.page, known.start <= after, bringUpToDate(known, key.filter) { return known }
        guard let reach = recent.reach, let head = recent.newest, after >= reach else { return nil }
        let start = max(key.start, reach)
        let capacity = Self.maximumLimit + Int(Self.stretch)
        guard let events = recent.events(after: start, most: capacity, where: key.filter.admits) else { return nil }
        let page = HistoryPage(
            after: start, first: start + 1, capacity: capacity, head: events.count == capacity ? start : head, events: events)
        keep(page, key)
        return page
    }

    /// False if more was published since it was read than memory holds.
    private func bringUpToDate(_ page: HistoryPage, _ filter: EventFilter) -> Bool {
        guard !page.isFull, let head = recent.newest, page.head < head else { return true }
        guard let more = recent.events(after: page.head, most: page.capacity - page.events.count, where: filter.admits) else { return false }
        page.extend(more, head: head)
        return true
    }

    private func keep(_ page: HistoryPage, _ key: Key) {
        forget(key)
        pages[key] = (page, Clock.monotonicNanoseconds + memoryNanoseconds)
        order.append(key)
        bytes += page.bytes
        while bytes > Self.maximumBytes, order.count > 1 { forget(order[0]) }
        if sweep == nil { sweep = Timer(afterMilliseconds: 1000, repeats: 1000) { [weak self] in self?.forgetOld() } }
    }

    private func forget(_ key: Key) {
        guard pages.removeValue(forKey: key) != nil else { return }
        order.removeAll { $0 == key }
        bytes = pages.values.reduce(0) { $0 + $1.page.bytes }
    }

    private func forgetOld() {
        let now = Clock.monotonicNanoseconds
        for key in order where pages[key].map({ $0.until <= now }) ?? true { forget(key) }
        guard pages.isEmpty else { return }
        sweep?.cancel()
        sweep = nil
    }

    // MARK: The store

    private func ask(_ key: Key) {
        let head = recent.newest ?? 0
        let capacity = Self.maximumLimit + Int(Self.stretch)
        let types = key.filter.types.isEmpty ? nil : key.filter.types
        asked()
        ledger.past(after: key.start, limit: capacity, account: key.filter.account, types: types) { [self] result in
            guard case .success(let found) = result else {
                for waiter in waiting.removeValue(forKey: key) ?? [] { waiter.answer(.failure(.unavailable)) }
                return
            }
            let page = HistoryPage(after: key.start, first: found.first, capacity: capacity, head: head, events: found.events)
            // More has been published meanwhile than memory holds: what is missing has to be asked for too.
            guard bringUpToDate(page, key.filter) else { return ask(key) }
            keep(page, key)
            for waiter in waiting.removeValue(forKey: key) ?? [] {
                waiter.answer(.success(page.answer(after: waiter.after, limit: waiter.limit)))
            }
        }
    }

    /// Another process is ahead of this one: who was served there has seen what was not published here yet. Only the
    /// store can tell that from an offset that never was.
    private func askAhead(_ waiter: Waiting) {
        ahead.append(waiter)
        guard ahead.count == 1 else { return }
        asked()
        ledger.stream { [self] result in
            let answered = ahead
            ahead = []
            for waiter in answered {
                guard case .success(let position) = result else { waiter.answer(.failure(.unavailable)); continue }
                let head = waiter.after <= position.head ? waiter.after : position.head
                waiter.answer(.success(PastEvents(events: [], head: max(head, recent.newest ?? 0), first: position.first)))
            }
        }
    }
}
