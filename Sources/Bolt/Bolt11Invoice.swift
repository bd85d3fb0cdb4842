public import Payments

/// An invoice as a strict reader takes it (BOLT 11). Where two readers could understand two different things, it is refused.
public struct Bolt11Invoice: Equatable, Sendable {
    public var network: Network
    /// `nil` when the payer chooses the amount.
    public var amount: Millisatoshis?
    public var timestamp: UnixTime
    public var paymentHash: PaymentHash
    public var paymentSecret: PaymentSecret
    public var description: InvoiceRecord.Description
    /// Who is paid: the field `n`, or the key that signed.
    public var payee: PublicKey
    /// Seconds after the timestamp.
    public var expiry: UInt64
    public var minFinalCLTVExpiry: UInt64
    public var routeHints: [[HopHint]]
    public var features: FeatureBits
    public var metadata: [UInt8]?
    /// All fields in the order in which they came, those that were skipped too.
    public var fields: [Bolt11Field]
    public var signature: RecoverableSignature

    /// The moment after which it should not be paid.
    public var expiresAt: UnixTime {
        UnixTime(seconds: timestamp.seconds.addingReportingOverflow(Int64(clamping: expiry)).overflow ? .max : timestamp.seconds + Int64(clamping: expiry))
    }

    /// Takes either case, without a `lightning:` before it.
    public init<C: Cryptography>(decoding text: String, by crypto: C.Type) throws(Failure) {
        let bech32: Bech32
        do { bech32 = try Bech32(decoding: text) } catch { throw .text(error) }
        let groups = bech32.groups
        let prefix = try Bolt11Prefix(decoding: bech32.prefix)
        guard groups.count >= Self.timestampCount + Self.signatureCount else { throw .tooShort }
        let end = groups.count - Self.signatureCount
        let content = groups[..<end]
        guard let seconds = FiveBitGroups.integer(of: content[..<Self.timestampCount]) else { throw .tooShort }
        let fields = try Self.fields(content[Self.timestampCount...])
        let found = try Bolt11Contents(fields)
        guard found.routeHints.joined().allSatisfy({ C.isOnCurve($0.node) }) else { throw .route }

        guard let signature = RecoverableSignature(FiveBitGroups.bytes(of: groups[end...])) else { throw .recoveryID }
        let digest = Bolt11Writer.digest(bech32.prefix, content, by: C.self)
        if let payee = found.payee {
            guard C.verify(signature, digest: digest, by: payee) else { throw .signature }
            self.payee = payee
        } else {
            guard let payee = C.recoverPublicKey(from: signature, digest: digest) else { throw .signature }
            self.payee = payee
        }
        network = prefix.network
        amount = prefix.amount
        timestamp = UnixTime(seconds: Int64(seconds))
        paymentHash = found.paymentHash
        paymentSecret = found.paymentSecret
        description = found.description
        expiry = found.expiry ?? Self.defaultExpiry
        minFinalCLTVExpiry = found.minFinalCLTVExpiry ?? Self.defaultMinFinalCLTVExpiry
        routeHints = found.routeHints
        features = found.features
        metadata = found.metadata
        self.fields = fields
        self.signature = signature
    }

    static let timestampCount = 7
    static let signatureCount = 104
    private static let defaultExpiry: UInt64 = 3600
    private static let defaultMinFinalCLTVExpiry: UInt64 = 18

    private static func fields(_ groups: ArraySlice<UInt8>) throws(Failure) -> [Bolt11Field] {
        var fields = [Bolt11Field]()
        var rest = groups
        while !rest.isEmpty {
            guard rest.count >= 3 else { throw .fieldTooLong }
            let head = rest.startIndex
            let count = Int(rest[head + 1]) << 5 | Int(rest[head + 2])
            guard rest.count - 3 >= count else { throw .fieldTooLong }
            fields.append(try Bolt11Field(tag: rest[head], groups: rest[(head + 3)..<(head + 3 + count)]))
            rest = rest[(head + 3 + count)...]
        }
        return fields
    }
}
