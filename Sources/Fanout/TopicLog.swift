/// A log of whole frames with a limit, read by any number of cursors.
///
/// Positions count bytes since the log began and always lie between two frames. The log holds the newest bytes up to
/// its limit; a cursor before ``start`` has been passed and its owner has missed something.
public struct TopicLog: Sendable {
    /// How many bytes are kept for those who lag.
    public let limit: Int
    /// The oldest position that can still be read.
    public private(set) var start = 0
    /// Where the next frame goes.
    public private(set) var end = 0
    private var ring: [UInt8] = []
    /// A position that lies at the front of the ring.
    private var origin = 0

    public init(limit: Int) { self.limit = limit }

    /// How much memory the log holds.
    public var capacity: Int { ring.count }

    /// Appends one frame made by ``Frame``. A frame beyond the limit empties the log: everybody has missed it.
    public mutating func append(_ frame: [UInt8]) {
        guard frame.count <= limit else {
            end += frame.count
            start = end
            return
        }
        // What nobody lags behind stays in one piece, which is one write, and in the same warm memory.
        if start == end { origin = end }
        if end - start + frame.count > ring.count { grow(for: end - start + frame.count) }
        while end - start + frame.count > ring.count { start += frameBytes(at: start) }
        let offset = place(of: end)
        let first = min(frame.count, ring.count - offset)
        ring.replaceSubrange(offset..<(offset + first), with: frame[..<first])
        if first < frame.count { ring.replaceSubrange(0..<(frame.count - first), with: frame[first...]) }
        end += frame.count
    }

    /// Forgets what all have read, so that the memory of a burst is used again.
    public mutating func trim(to position: Int) { start = min(max(start, position), end) }

    /// The farthest position after `cursor` that is between two frames and at most `most` bytes away, but one frame at
    /// least. `nil` if the log has passed the cursor.
    public func boundary(after cursor: Int, most: Int) -> Int? {
        guard cursor >= start, cursor <= end else { return nil }
        guard end - cursor > most else { return end }
        var position = cursor
        while position < end {
            let next = position + frameBytes(at: position)
            if next - cursor > most, position > cursor { return position }
            position = next
        }
        return position
    }

    /// Lends the bytes of a range in one or two pieces.
    @inlinable
    public func withBytes(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Void) {
        unsafe pieces(range) { unsafe body($0) }
    }

    @usableFromInline
    func pieces(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard range.lowerBound >= start, range.upperBound <= end, !range.isEmpty else { return }
        let offset = place(of: range.lowerBound)
        let first = min(range.count, ring.count - offset)
        unsafe ring.withUnsafeBytes { bytes in
            unsafe body(UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + first)]))
            if first < range.count { unsafe body(UnsafeRawBufferPointer(rebasing: bytes[0..<(range.count - first)])) }
        }
    }

    private func byte(at position: Int) -> Int { Int(ring[place(of: position)]) }

    private func place(of position: Int) -> Int { (position - origin) % ring.count }

    /// The length of the frame at a position, from its header.
    private func frameBytes(at position: Int) -> Int {
        switch byte(at: position + 1) {
        case 126: 4 + byte(at: position + 2) << 8 + byte(at: position + 3)
        case 127: 10 + (2..<10).reduce(0) { $0 << 8 | byte(at: position + $1) }
        case let count: 2 + count
        }
    }

    private mutating func grow(for needed: Int) {
        guard ring.count < limit else { return }
        var size = max(ring.count, min(4096, limit))
        while size < needed, size < limit { size = min(size * 2, limit) }
        var wider = [UInt8](repeating: 0, count: size)
        if end > start {
            // A position's place depends on the size, so every byte moves to its new one.
            for position in start..<end { wider[(position - origin) % size] = ring[place(of: position)] }
        }
        ring = wider
    }
}
