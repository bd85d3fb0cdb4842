import Payments

/// Reads the data of a failure message field by field; `nil` where the bytes end too soon.
struct FailureFields {
    var position: Int

    mutating func integer(_ count: Int, _ bytes: borrowing Span<UInt8>) -> UInt64? {
        guard let range = take(count, bytes) else { return nil }
        return BigEndian.integer(bytes, range)
    }

    mutating func bigSize(_ bytes: borrowing Span<UInt8>) -> UInt64? {
        try? BigSize.decode(bytes, at: &position)
    }

    mutating func hash(_ bytes: borrowing Span<UInt8>) -> Bytes32? {
        guard let range = take(32, bytes) else { return nil }
        return Bytes32(bytes.extracting(range))
    }

    /// A `channel_update` with its length of sixteen bits.
    mutating func update(_ bytes: borrowing Span<UInt8>) -> [UInt8]? {
        guard let count = integer(2, bytes), let range = take(Int(count), bytes) else { return nil }
        return range.map { bytes[$0] }
    }

    private mutating func take(_ count: Int, _ bytes: borrowing Span<UInt8>) -> Range<Int>? {
        guard bytes.count - position >= count else { return nil }
        defer { position += count }
        return position..<position + count
    }
}
