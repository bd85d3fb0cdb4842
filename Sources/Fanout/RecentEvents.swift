public import Payments

/// The newest events, for clients that were away for a moment: most of them resume without a question to the database.
public struct RecentEvents: Sendable {
    private let limit: Int
    private var ring: [PublishedEvent] = []
    private var first = 0

    /// Keeps at most `limit` events.
    public init(limit: Int) { self.limit = max(1, limit) }

    public var count: Int { ring.count }

    /// The offset of the newest event.
    public var newest: Int64? { ring.isEmpty ? nil : ring[(first + ring.count - 1) % ring.count].offset }

    /// Adds the next event. Offsets are dense: after a gap nothing older can be promised, so the older ones are
    /// dropped; an offset that is not newer is one already known.
    public mutating func append(_ event: PublishedEvent) {
        if let newest {
            if event.offset <= newest { return }
            if event.offset != newest + 1 {
                ring.removeAll(keepingCapacity: true)
                first = 0
            }
        }
        if ring.count < limit {
            ring.append(event)
        } else {
            ring[first] = event
            first = (first + 1) % limit
        }
    }

    /// All events after `offset` that are `wanted`, at most `most`. `nil` if the memory does not reach back so far, or
    /// the offset is from the future.
    public func events(after offset: Int64, most: Int, where wanted: (PublishedEvent) -> Bool) -> [PublishedEvent]? {
        guard let newest, offset <= newest else { return nil }
        let oldest = newest - Int64(ring.count - 1)
        guard offset >= oldest - 1 else { return nil }
        var found: [PublishedEvent] = []
        var index = Int(offset - (oldest - 1))
        while index < ring.count, found.count < most {
            let event = ring[(first + index) % ring.count]
            if wanted(event) { found.append(event) }
            index += 1
        }
        return found
    }
}
