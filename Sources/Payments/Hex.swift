/// Hexadecimal text, lower case when written, either case when read.
public enum Hex {
    public static func encode(_ bytes: borrowing Span<UInt8>) -> String {
        var text = [UInt8]()
        text.reserveCapacity(bytes.count * 2)
        append(bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text = [UInt8]()
        for byte in bytes { append(byte, to: &text) }
        return String(decoding: text, as: UTF8.self)
    }

    /// `nil` for an odd number of digits or anything that is not one.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes = [UInt8]()
        var high: UInt8?
        for digit in text.utf8 {
            guard let value = value(of: digit) else { return nil }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return high == nil ? bytes : nil
    }

    /// Appends two digits for each byte to ASCII text under construction.
    public static func append(_ bytes: borrowing Span<UInt8>, to text: inout [UInt8]) {
        let count = bytes.count
        // At once: each append to an array asks first whether the array may be changed.
        text.append(addingCapacity: count * 2) { output in
            var index = 0
            while index + 4 <= count {
                let digits = eightDigits(
                    UInt32(bytes[index]) << 24 | UInt32(bytes[index + 1]) << 16 | UInt32(bytes[index + 2]) << 8 | UInt32(bytes[index + 3]))
                for place in 0..<8 { output.append(UInt8(truncatingIfNeeded: digits >> (56 - 8 * UInt64(place)))) }
                index += 4
            }
            for rest in index..<count {
                output.append(digit(bytes[rest] >> 4))
                output.append(digit(bytes[rest] & 15))
            }
        }
    }

    /// The digits of a number, the first in the highest byte: half a byte is spread over each, and all become text at once.
    private static func eightDigits(_ number: UInt32) -> UInt64 {
        var halves = UInt64(number)
        halves = (halves << 16 | halves) & 0x0000_FFFF_0000_FFFF
        halves = (halves << 8 | halves) & 0x00FF_00FF_00FF_00FF
        halves = (halves << 4 | halves) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = ((halves + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
        return halves + 0x3030_3030_3030_3030 + letters * 39
    }

    /// Appends two digits to ASCII text under construction.
    public static func append(_ byte: UInt8, to text: inout [UInt8]) {
        text.append(digit(byte >> 4))
        text.append(digit(byte & 15))
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        case 65...70: digit - 55
        default: nil
        }
    }
}
