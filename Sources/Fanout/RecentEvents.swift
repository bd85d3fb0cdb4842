public import Payments

/// The newest events, for clients that were away for a moment: most of them resume without a question to the database.
public struct RecentEvents: Sendable {
    private let limit: Int
    private var ring: [PublishedEvent] = []
    private var first = 0
    /// What ``newest`` is before the first event.
    private var start: Int64?

    /// Keeps at most `limit` events.
    public init(limit: Int) { self.limit = max(1, limit) }

    public var count: Int { ring.count }

    /// Everything up to this offset was told before; the next event is the one after it.
    public mutating func begin(after offset: Int64) { if newest == nil { start = offset } }

    /// The offset of the newest event.
    public var newest: Int64? { ring.isEmpty ? start : ring[(first + ring.count - 1) % ring.count].offset }

    /// Everything after this offset is here, up to ``newest``.
    public var reach: Int64? { newest.map { $0 - Int64(ring.count) } }

    /// Adds the next event. Offsets are dense: after a gap nothing older can be promised, so the older ones are
    /// dropped; an offset that is not newer is one already known. Returns the event whose place it took.
    @discardableResult
    public mutating func append(_ event: PublishedEvent) -> PublishedEvent? {
        if let newest {
            if event.offset <= newest { return nil }
            if event.offset != newest + 1 {
                ring.removeAll(keepingCapacity: true)
                first = 0
            }
        }
        if ring.count < limit {
            ring.append(event)
            return nil
        }
        var displaced = event
        swap(&ring[first], &displaced)
        first = (first + 1) % limit
        return displaced
    }

    /// All events after `offset` that are `wanted`, at most `most`. `nil` if the memory does not reach back so far, or
    /// the offset is from the future.
    public func events(after offset: Int64, most: Int, where wanted: (PublishedEvent) -> Bool) -> [PublishedEvent]? {
        guard let newest, let reach, offset <= newest, offset >= reach else { return nil }
        var found: [PublishedEvent] = []
        var index = Int(offset - reach)
        while index < ring.count, found.count < most {
            let event = ring[(first + index) % ring.count]
            if wanted(event) { found.append(event) }
            index += 1
        }
        return found
    }
}
