public import Payments

/// Events as the elements of a reply's `publications`, encoded once for all who ask for the same part of the stream.
public struct Publications: Equatable, Sendable {
    /// Objects with commas between them.
    public private(set) var bytes: [UInt8] = []
    /// Where each object ends.
    private var ends: [Int] = []

    public init() {}

    public init(_ events: some Sequence<PublishedEvent>) { append(events) }

    public var count: Int { ends.count }

    public mutating func append(_ events: some Sequence<PublishedEvent>) {
        for event in events {
            if !bytes.isEmpty { bytes.append(0x2C) }
            var json = JSONWriter(capacity: event.data.utf8.count + 192)
            json.object { Push.fields(of: event, &$0) }
            bytes += json.bytes
            ends.append(bytes.count)
        }
    }

    /// A part of them.
    public func part(_ range: Range<Int>) -> Publications {
        guard range.count < count else { return self }
        guard !range.isEmpty else { return Publications() }
        let start = range.lowerBound == 0 ? 0 : ends[range.lowerBound - 1] + 1
        var part = Publications()
        part.bytes = Array(bytes[start..<ends[range.upperBound - 1]])
        part.ends = ends[range].map { $0 - start }
        return part
    }
}
