/// Base64 with the alphabet for URLs and without padding (RFC 4648, section 5).
enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String { encode(bytes, digits: digits) }

    /// With the standard alphabet and padding (section 4).
    static func encodeStandard(_ bytes: [UInt8]) -> String {
        encode(bytes, digits: standardDigits) + String(repeating: "=", count: (3 - bytes.count % 3) % 3)
    }

    private static func encode(_ bytes: [UInt8], digits: [UInt8]) -> String {
        var text = [UInt8]()
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var pending: UInt32 = 0
        var count: UInt32 = 0
        for byte in bytes {
            pending = pending << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(digits[Int(pending >> count & 63)])
            }
        }
        if count > 0 { text.append(digits[Int(pending << (6 - count) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// `nil` for other characters, a length that no bytes have, or bits that no byte needs and are not zero:
    /// one value has one text.
    static func decode(_ text: String) -> [UInt8]? {
        var bytes = [UInt8]()
        var pending: UInt32 = 0
        var count: UInt32 = 0
        for digit in text.utf8 {
            guard let value = value(of: digit) else { return nil }
            pending = pending << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> count))
            }
        }
        guard count < 6, pending & (1 << count - 1) == 0 else { return nil }
        return bytes
    }

    /// What ``encodeStandard(_:)`` makes, and nothing else.
    static func decodeStandard(_ text: String) -> [UInt8]? {
        let plain = text.utf8.prefix { $0 != UInt8(ascii: "=") }.map { byte in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: byte
            }
        }
        let bytes = decode(String(decoding: plain, as: UTF8.self))
        return bytes.flatMap { encodeStandard($0) == text ? $0 : nil }
    }

    private static let standardDigits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case 65...90: UInt32(digit - 65)
        case 97...122: UInt32(digit - 71)
        case 48...57: UInt32(digit + 4)
        case 45: 62
        case 95: 63
        default: nil
        }
    }
}
