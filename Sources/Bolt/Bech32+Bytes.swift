extension Bech32 {
    /// The bytes regrouped, zero bits filling the last group.
    public init(prefix: String, bytes: [UInt8]) {
        self.init(prefix: Array(prefix.utf8), groups: [])
        FiveBitGroups.append(bytes.span, to: &groups)
    }

    /// The groups as whole bytes; `nil` if more is left over than padding may be, or if that is not zero (BIP 173).
    public var bytes: [UInt8]? {
        let rest = groups.count * 5 % 8
        guard rest < 5, rest == 0 || (groups.last ?? 0) & (1 << UInt8(rest) - 1) == 0 else { return nil }
        return FiveBitGroups.bytes(of: groups[...])
    }
}
