/// A range of addresses: those that agree with a base in their first bits.
public struct AddressRange: Hashable, Sendable {
    private let base: IPAddress
    private let bits: Int

    /// `10.0.0.0/8`, `fd00::/8`, or one address. `nil` if it is none, or has bits behind its prefix.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let base = IPAddress(parts[0]) else { return nil }
        let width = base.v4 == nil ? 128 : 32
        var prefix = width
        if parts.count == 2 {
            guard let number = Int(parts[1]), (0...width).contains(number), parts[1].utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
            prefix = number
        }
        self.init(base, bits: prefix + 128 - width)
        guard Self.masked(base, bits) == base else { return nil }
    }

    private init(_ base: IPAddress, bits: Int) {
        self.base = base
        self.bits = bits
    }

    public func contains(_ address: IPAddress) -> Bool { Self.masked(address, bits) == base }

    private static func masked(_ address: IPAddress, _ bits: Int) -> IPAddress {
        IPAddress(high: address.high & mask(min(bits, 64)), low: address.low & mask(max(bits - 64, 0)))
    }

    private static func mask(_ bits: Int) -> UInt64 { bits == 0 ? 0 : ~0 << UInt64(64 - bits) }
}
