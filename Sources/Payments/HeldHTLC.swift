/// One part of a set, after its onion was opened and its secret was found to be ours.
public struct HeldHTLC: Equatable, Sendable {
    public var circuitKey: CircuitKey
    /// What the virtual channel forwards: LND's outgoing amount.
    public var amount: Millisatoshis
    /// What the payer says the whole set will be (BOLT 4 `payment_data`).
    public var total: Millisatoshis
    /// The height at which the HTLC times out on the node's channel.
    public var incomingExpiry: UInt32
    public var outgoingExpiry: UInt32
    /// The node answers by itself at this height; see ``InterceptedHTLC/isOnChain``.
    public var autoFailHeight: Int32
    public var isOnChain: Bool
    /// What the payer leaves to the virtual channel: the node receives that much more than ``amount``.
    public var fee: Millisatoshis

    public init(
        circuitKey: CircuitKey, amount: Millisatoshis, total: Millisatoshis, incomingExpiry: UInt32, outgoingExpiry: UInt32, autoFailHeight: Int32,
        isOnChain: Bool, fee: Millisatoshis = .zero
    ) {
        self.circuitKey = circuitKey
        self.amount = amount
        self.total = total
        self.incomingExpiry = incomingExpiry
        self.outgoingExpiry = outgoingExpiry
        self.autoFailHeight = autoFailHeight
        self.isOnChain = isOnChain
        self.fee = fee
    }
}
