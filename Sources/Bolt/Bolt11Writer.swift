import Payments

/// Builds an invoice's text field by field.
struct Bolt11Writer {
    private let prefix: [UInt8]
    private var groups: [UInt8] = []

    /// The timestamp is in seconds, thirty-five bits of it.
    init(prefix: Bolt11Prefix, timestamp: UInt64) {
        self.prefix = prefix.encode()
        groups.reserveCapacity(512)
        FiveBitGroups.append(timestamp, count: 7, to: &groups)
    }

    /// `false`, and nothing appended, if the field's data is too long.
    mutating func append(_ field: Bolt11Field) -> Bool { field.append(to: &groups) }

    consuming func finish<Hash: SHA256Digest>(by hash: Hash.Type, sign: (Bytes32) -> RecoverableSignature) -> String {
        let signature = sign(Self.digest(prefix, groups[...], by: Hash.self))
        FiveBitGroups.append(signature, to: &groups)
        return Bech32(prefix: prefix, groups: groups).encode()
    }

    /// What is signed: the prefix and the groups as bytes, the last one completed with zero bits.
    static func digest<Hash: SHA256Digest>(_ prefix: [UInt8], _ groups: ArraySlice<UInt8>, by hash: Hash.Type) -> Bytes32 {
        var bytes = [UInt8]()
        bytes.reserveCapacity(prefix.count + groups.count * 5 / 8 + 1)
        bytes.append(contentsOf: prefix)
        FiveBitGroups.appendBytes(of: groups, padding: true, to: &bytes)
        return Hash.sha256(bytes.span)
    }
}
