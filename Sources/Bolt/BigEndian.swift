/// Integers with the most significant byte first, as all of Lightning writes them.
enum BigEndian {
    static func append(_ value: UInt64, count: Int, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        var room = bytes.mutableSpan
        for place in 0..<count {
            room[start + place] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - place)))
        }
    }

    /// Without leading zero bytes: BOLT 1's truncated integers; zero is no byte at all.
    static func appendTruncated(_ value: UInt64, to bytes: inout [UInt8]) {
        append(value, count: truncatedCount(value), to: &bytes)
    }

    static func truncatedCount(_ value: UInt64) -> Int { 8 - value.leadingZeroBitCount / 8 }

    /// At most eight bytes.
    static func integer(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        var value: UInt64 = 0
        for index in range { value = value << 8 | UInt64(bytes[index]) }
        return value
    }

    /// `nil` if there are more than `limit` bytes or the first is zero.
    static func truncatedInteger(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, limit: Int) -> UInt64? {
        guard range.count <= limit, range.isEmpty || bytes[range.lowerBound] != 0 else { return nil }
        return integer(bytes, range)
    }
}
