/// The variable-length integer of BOLT 1: one, three, five or nine bytes, the shortest that fits.
public enum BigSize {
    public enum Failure: Error, Equatable, Sendable {
        /// The bytes end within the integer, or there are none.
        case truncated
        case notMinimal
    }

    public static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        switch value {
        case 0..<0xfd: bytes.append(UInt8(value))
        case 0xfd...0xffff:
            bytes.append(0xfd)
            BigEndian.append(value, count: 2, to: &bytes)
        case 0x1_0000...0xffff_ffff:
            bytes.append(0xfe)
            BigEndian.append(value, count: 4, to: &bytes)
        default:
            bytes.append(0xff)
            BigEndian.append(value, count: 8, to: &bytes)
        }
    }

    /// Reads the integer at `position` and moves it past.
    public static func decode(_ bytes: borrowing Span<UInt8>, at position: inout Int) throws(Failure) -> UInt64 {
        guard position < bytes.count else { throw .truncated }
        let first = bytes[position]
        let (count, least): (Int, UInt64) = switch first {
        case 0xfd: (2, 0xfd)
        case 0xfe: (4, 0x1_0000)
        case 0xff: (8, 0x1_0000_0000)
        default: (0, 0)
        }
        guard count > 0 else {
            position += 1
            return UInt64(first)
        }
        guard bytes.count - position > count else { throw .truncated }
        let value = BigEndian.integer(bytes, position + 1..<position + 1 + count)
        guard value >= least else { throw .notMinimal }
        position += 1 + count
        return value
    }
}
