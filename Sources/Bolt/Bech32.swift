/// Bech32 text (BIP 173) without its limit of ninety characters, as BOLT 11 and LUD-01 use it.
public struct Bech32: Equatable, Sendable {
    public enum Failure: Error, Equatable, Sendable {
        case mixedCase
        /// Neither a printable ASCII prefix nor one of the thirty-two digits.
        case character
        case noSeparator
        case tooShort
        case checksum
    }

    /// Lower case.
    public var prefix: [UInt8]
    /// Values of five bits each, without the checksum.
    public var groups: [UInt8]

    public init(prefix: [UInt8], groups: [UInt8]) {
        self.prefix = prefix
        self.groups = groups
    }

    public init(decoding text: String) throws(Failure) {
        var bytes = Array(text.utf8)
        var hasLower = false
        var hasUpper = false
        for index in bytes.indices {
            switch bytes[index] {
            case 97...122: hasLower = true
            case 65...90:
                hasUpper = true
                bytes[index] |= 32
            case 33...126: continue
            default: throw .character
            }
        }
        if hasLower && hasUpper { throw .mixedCase }
        guard let separator = bytes.lastIndex(of: 49) else { throw .noSeparator }
        guard separator > 0, bytes.count - separator > Self.checksumLength else { throw .tooShort }
        prefix = Array(bytes[..<separator])
        groups = []
        groups.reserveCapacity(bytes.count - separator)
        for byte in bytes[(separator + 1)...] {
            let value = Self.values[Int(byte)]
            guard value < 32 else { throw .character }
            groups.append(value)
        }
        var checksum = Checksum(prefix: prefix)
        for group in groups { checksum.add(group) }
        guard checksum.state == 1 else { throw .checksum }
        groups.removeLast(Self.checksumLength)
    }

    /// The text in lower case. The prefix must be lower case and the groups below thirty-two.
    public func encode() -> String {
        let digits = Self.digits
        var text = [UInt8]()
        text.reserveCapacity(prefix.count + 1 + groups.count + Self.checksumLength)
        text.append(contentsOf: prefix)
        text.append(49)
        var checksum = Checksum(prefix: prefix)
        // Room first and then a span: appending one by one checks ownership each time.
        let start = text.count
        text.append(contentsOf: repeatElement(0, count: groups.count))
        var room = text.mutableSpan
        for index in groups.indices {
            checksum.add(groups[index])
            room[start + index] = digits[Int(groups[index] & 31)]
        }
        for _ in 0..<Self.checksumLength { checksum.add(0) }
        let end = checksum.state ^ 1
        for place in (0..<Self.checksumLength).reversed() {
            text.append(digits[Int(end >> (5 * UInt32(place)) & 31)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// `nil` for what is no lower-case digit.
    static func value(of digit: UInt8) -> UInt8? { digit < 128 && values[Int(digit)] < 32 ? values[Int(digit)] : nil }

    private static let checksumLength = 6
    private static let digits = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
    /// The value of each ASCII character, 255 for those that are no digit.
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 128)
        for (value, digit) in digits.enumerated() { table[Int(digit)] = UInt8(value) }
        return table
    }()
}

/// The BCH code of BIP 173 under way.
private struct Checksum {
    var state: UInt32 = 1
    private let table: InlineArray<32, UInt32>

    init(prefix: [UInt8]) {
        table = Self.table
        for byte in prefix { add(byte >> 5) }
        add(0)
        for byte in prefix { add(byte & 31) }
    }

    mutating func add(_ group: UInt8) {
        state = (state & 0x1ff_ffff) << 5 ^ UInt32(group) ^ table[Int(state >> 25)]
    }

    /// What the five bits that leave the state at the top put back into it.
    private static let table = InlineArray<32, UInt32> { top in
        let generator: InlineArray<5, UInt32> = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
        var sum: UInt32 = 0
        for bit in 0..<5 where top >> bit & 1 == 1 { sum ^= generator[bit] }
        return sum
    }
}
