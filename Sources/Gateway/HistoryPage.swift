internal import Payments
internal import Wire

/// A stretch of what one filter lets through, for all whose offsets lie near each other.
final class HistoryPage {
    /// It holds what came after this offset.
    let start: Int64
    /// The oldest offset that the log held when it was read.
    let first: Int64
    /// How many events it can hold.
    let capacity: Int
    /// Nothing that its filter lets through is missing up to here.
    private(set) var head: Int64
    private(set) var events: [PublishedEvent]
    /// A guess, good enough to bound the memory.
    private(set) var bytes: Int
    private var publications = Publications()

    init(after start: Int64, first: Int64, capacity: Int, head: Int64, events: [PublishedEvent]) {
        self.start = start
        self.first = first
        self.capacity = capacity
        self.events = events
        // Whoever sees an offset sees all below it.
        self.head = max(head, events.last?.offset ?? 0)
        bytes = Self.bytes(of: events)
    }

    /// Nothing will ever be added to it: what its filter lets through goes on behind it.
    var isFull: Bool { events.count >= capacity }

    /// Adds what its filter has let through since ``head``.
    func extend(_ more: [PublishedEvent], head: Int64) {
        events += more
        bytes += Self.bytes(of: more)
        self.head = max(self.head, head)
    }

    /// The first `limit` events after the offset, which is not before ``start``.
    func answer(after: Int64, limit: Int) -> PastEvents {
        let begin = events.firstIndex { $0.offset > after } ?? events.count
        let range = begin..<min(events.count, begin + limit)
        if publications.count < range.upperBound { publications.append(events[publications.count..<range.upperBound]) }
        return PastEvents(events: Array(events[range]), head: head, first: first, publications: publications.part(range))
    }

    private static func bytes(of events: [PublishedEvent]) -> Int { events.reduce(0) { $0 + 2 * $1.data.utf8.count + 400 } }
}
