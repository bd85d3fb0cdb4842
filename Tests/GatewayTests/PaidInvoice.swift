import Bolt
import Gateway
import Keys
import Payments

/// One invoice of a virtual node, and the HTLCs that a payer makes for it.
struct PaidInvoice {
    static let identity = IdentityKey(Bytes32(repeatElement(0x11, count: 32))!)!
    static let secrets = PaymentSecrets(identity: identity)
    static let node = IdentityKey(Bytes32(repeatElement(0x22, count: 32))!)!.publicKey
    static let circuit = CircuitKey(node: node, chanID: 9, htlcID: 4)
    static let amount = Millisatoshis(50_000)
    static let expiry: UInt32 = 900_100
    static let height: UInt32 = 900_000

    let terms: InvoiceTerms
    let issued: IssuedSecret

    init(_ terms: InvoiceTerms = .init(amount: amount, expiresAt: UnixTime(seconds: 1_800_000_000), settlement: .auto, isStored: false), random: UInt8 = 3) {
        self.terms = terms
        issued = Self.secrets.make(terms, random: Bytes32(repeatElement(random, count: 32))!)
    }

    static func screening(_ policy: RoutingPolicy = .init(cltvDelta: 80, feeBase: Millisatoshis(1000), feePPM: 100)) -> Screening {
        Screening(identity: identity, secrets: secrets, policy: policy)
    }

    func payload(amount: Millisatoshis = amount, total: Millisatoshis = amount, expiry: UInt32 = expiry, secret: PaymentSecret? = nil) -> HopPayload {
        HopPayload(amount: amount, outgoingExpiry: expiry, paymentData: .init(secret: secret ?? issued.secret, total: total))
    }

    /// The payload's onion for the virtual node, and the secret that the payer shares with it.
    func onion(_ payload: [UInt8], before further: [Onion.Hop] = [], hash: PaymentHash? = nil) -> (packet: [UInt8], sharedSecret: Bytes32) {
        let built = Onion.build(
            route: [.init(key: Self.identity.publicKey, payload: payload)] + further, sessionKey: Bytes32(repeatElement(0x41, count: 32))!,
            associatedData: hash ?? issued.paymentHash, by: LibCrypto.self)!
        return (built.packet, built.sharedSecrets[0])
    }

    /// An HTLC that nothing is wrong with, but for what is given. The fee is exactly what the policy of ``screening(_:)`` asks.
    func htlc(
        onion: [UInt8]? = nil, hash: PaymentHash? = nil, incomingAmount: UInt64 = 51_005, incomingExpiry: UInt32 = expiry + 80,
        outgoingAmount: UInt64 = 50_000, outgoingExpiry: UInt32 = expiry, autoFailHeight: Int32 = 900_161
    ) -> InterceptedHTLC {
        InterceptedHTLC(
            circuitKey: Self.circuit, paymentHash: hash ?? issued.paymentHash, incomingAmount: Millisatoshis(incomingAmount),
            incomingExpiry: incomingExpiry, outgoingAmount: Millisatoshis(outgoingAmount), outgoingExpiry: outgoingExpiry,
            onion: onion ?? self.onion(payload().encode()).packet, autoFailHeight: autoFailHeight)
    }
}
