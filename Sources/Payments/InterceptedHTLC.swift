/// One HTLC as LND's interceptor offers it. Nothing in it has been checked by LND except that it is an HTLC.
public struct InterceptedHTLC: Equatable, Sendable {
    public var circuitKey: CircuitKey
    public var paymentHash: PaymentHash
    /// What arrived on the node's channel.
    public var incomingAmount: Millisatoshis
    public var incomingExpiry: UInt32
    /// What the payer's per-hop payload asks the node to forward to the virtual node.
    public var outgoingAmount: Millisatoshis
    public var outgoingExpiry: UInt32
    /// The onion for the virtual node: 1366 bytes when well formed.
    public var onion: [UInt8]
    /// The height at which the node fails the HTLC by itself.
    public var autoFailHeight: Int32

    public init(
        circuitKey: CircuitKey, paymentHash: PaymentHash,
        incomingAmount: Millisatoshis, incomingExpiry: UInt32,
        outgoingAmount: Millisatoshis, outgoingExpiry: UInt32,
        onion: [UInt8], autoFailHeight: Int32
    ) {
        self.circuitKey = circuitKey
        self.paymentHash = paymentHash
        self.incomingAmount = incomingAmount
        self.incomingExpiry = incomingExpiry
        self.outgoingAmount = outgoingAmount
        self.outgoingExpiry = outgoingExpiry
        self.onion = onion
        self.autoFailHeight = autoFailHeight
    }

    /// What stays with the node if it forwards; nothing if the peer offers less than it asks to be forwarded.
    public var fee: Millisatoshis {
        Millisatoshis(incomingAmount.value > outgoingAmount.value ? incomingAmount.value - outgoingAmount.value : 0)
    }

    /// The HTLC's channel was closed and the node asks for a preimage to claim it on chain.
    ///
    /// LND marks such offers only by the deadline: none at all up to 0.20.1, the expiry itself later.
    /// The one answer that may be given to them is to settle.
    public var isOnChain: Bool { autoFailHeight == 0 || Int64(autoFailHeight) >= Int64(incomingExpiry) }
}
