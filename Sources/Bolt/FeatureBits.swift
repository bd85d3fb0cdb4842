/// The features that an invoice asks the payer to know (BOLT 9): even bits are demands, odd ones offers.
public struct FeatureBits: Equatable, Sendable {
    /// Ascending, each once.
    public private(set) var bits: [Int]

    /// Takes bits 0...5114, the most that one field holds; others are left out.
    public init(_ bits: some Sequence<Int>) {
        self.bits = Set(bits.lazy.filter { $0 >= 0 && $0 < 1023 * 5 }).sorted()
    }

    /// What our invoices need: `var_onion_optin` and `payment_secret` demanded, `basic_mpp` offered.
    public static let payable = FeatureBits([8, 14, 17])
    /// The same with `payment_metadata` offered: a payer that does not know it pays without.
    public static let payableWithMetadata = FeatureBits([8, 14, 17, 49])

    /// Whether the feature with this even bit is demanded or offered.
    public func has(_ feature: Int) -> Bool { bits.contains(feature) || bits.contains(feature + 1) }

    /// The first demanded bit that a reader of invoices does not know.
    var unknownDemand: Int? { bits.first { $0 & 1 == 0 && !Self.known.contains($0) } }

    /// `var_onion_optin`, `payment_secret`, `basic_mpp`, `payment_metadata`.
    private static let known: Set<Int> = [Feature.varOnion, Feature.paymentSecret, Feature.basicMPP, Feature.paymentMetadata]

    public enum Feature {
        public static let varOnion = 8
        public static let paymentSecret = 14
        public static let basicMPP = 16
        public static let paymentMetadata = 48
    }

    /// Big-endian in five-bit groups, no leading zero group.
    var groups: [UInt8] {
        guard let highest = bits.last else { return [] }
        var groups = [UInt8](repeating: 0, count: highest / 5 + 1)
        for bit in bits { groups[groups.count - 1 - bit / 5] |= 1 << UInt8(bit % 5) }
        return groups
    }

    init(groups: ArraySlice<UInt8>) {
        bits = []
        for (place, group) in groups.reversed().enumerated() {
            for bit in 0..<5 where group >> UInt8(bit) & 1 == 1 { bits.append(place * 5 + bit) }
        }
    }
}
