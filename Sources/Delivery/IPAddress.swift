/// An IPv4 or IPv6 address. One of IPv4 is held as it is mapped into IPv6 (RFC 4291, 2.5.5.2), so both are compared alike.
public struct IPAddress: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    private static let mapped: UInt64 = 0xffff_0000_0000

    /// Four octets or sixteen, in network order; `nil` for any other number.
    public init?(octets: some Collection<UInt8>) {
        switch octets.count {
        case 4:
            high = 0
            low = Self.mapped | octets.reduce(0) { $0 << 8 | UInt64($1) }
        case 16:
            high = octets.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
            low = octets.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
        default: return nil
        }
    }

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(v4: UInt32) { self.init(high: 0, low: Self.mapped | UInt64(v4)) }

    /// Dotted decimal with four numbers, or IPv6 text without brackets and zone. Shorter, octal and hexadecimal forms, which
    /// resolvers take for addresses too, are none here.
    public init?(_ text: some StringProtocol) {
        if let v4 = Self.dotted(text.utf8) { self.init(v4: v4) } else if let groups = Self.groups(text) {
            self.init(
                high: groups.prefix(4).reduce(0) { $0 << 16 | UInt64($1) }, low: groups.suffix(4).reduce(0) { $0 << 16 | UInt64($1) })
        } else { return nil }
    }

    /// The address of IPv4, if it is one.
    var v4: UInt32? { high == 0 && low >> 32 == 0xffff ? UInt32(truncatingIfNeeded: low) : nil }

    /// The address of IPv4 that packets to this one end at: mapped, translated (NAT64, RFC 6052) or tunnelled (6to4, RFC 3056).
    var embedded: UInt32? {
        if let v4 { return v4 }
        if high == 0x0064_ff9b_0000_0000, low >> 32 == 0 { return UInt32(truncatingIfNeeded: low) }
        if high >> 48 == 0x2002 { return UInt32(truncatingIfNeeded: high >> 16) }
        return nil
    }

    private static func dotted(_ text: some Collection<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (48...57).contains($0) }), part.count == 1 || part.first != 48 else { return nil }
            let number = part.reduce(0) { $0 * 10 + UInt32($1 - 48) }
            guard number < 256 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    /// The eight groups of IPv6; `::` stands once, for all that are missing.
    private static func groups(_ text: some StringProtocol) -> [UInt16]? {
        let bytes = Array(text.utf8)
        let colon = UInt8(ascii: ":")
        guard bytes.count <= 45, bytes.contains(colon) else { return nil }
        guard let gap = bytes.indices.dropLast().first(where: { bytes[$0] == colon && bytes[$0 + 1] == colon }) else {
            return plainGroups(bytes[...]).flatMap { $0.count == 8 ? $0 : nil }
        }
        guard let before = plainGroups(bytes[..<gap], endsWithV4: false), let after = plainGroups(bytes[(gap + 2)...]), before.count + after.count < 8 else { return nil }
        return before + [UInt16](repeating: 0, count: 8 - before.count - after.count) + after
    }

    /// Groups of one to four digits of base sixteen, the last two perhaps as an address of IPv4.
    private static func plainGroups(_ text: ArraySlice<UInt8>, endsWithV4: Bool = true) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if endsWithV4, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let v4 = dotted(part) else { return nil }
                groups += [UInt16(truncatingIfNeeded: v4 >> 16), UInt16(truncatingIfNeeded: v4)]
            } else {
                let digits = String(decoding: part, as: UTF8.self)
                guard (1...4).contains(part.count), digits.allSatisfy(\.isHexDigit), let group = UInt16(digits, radix: 16) else { return nil }
                groups.append(group)
            }
        }
        return groups
    }
}

extension IPAddress: CustomStringConvertible {
    public var description: String {
        if let v4 { return [24, 16, 8, 0].map { String(v4 >> UInt32($0) & 255) }.joined(separator: ".") }
        return [high, low].flatMap { half in [48, 32, 16, 0].map { String(half >> UInt64($0) & 0xffff, radix: 16) } }.joined(separator: ":")
    }

    /// As it stands in a URL: IPv6 in brackets.
    public var inURL: String { v4 == nil ? "[\(description)]" : description }
}
