public import Loop
public import Payments

/// One node. What it cannot do, by its ``capabilities``, it answers with ``NodeError/unsupported``.
@LoopActor
public protocol LightningNode: AnyObject {
    var pubkey: PublicKey { get }
    /// What the operator calls it.
    var name: String { get }
    var capabilities: NodeCapabilities { get }
    /// Whether it can be asked now.
    var isReachable: Bool { get }

    func describe(_ reply: @escaping NodeReply<NodeDescription>)

    // MARK: Payments

    /// Asks for a payment. Whatever `answered` tells, `ended` comes once, and after it nothing.
    ///
    /// The end says for certain that nothing was begun only with ``PayoutEnd/notBegun(_:)``.
    func pay(_ order: PaymentOrder, answered: @escaping @LoopActor (PayoutAnswer) -> Void, ended: @escaping @LoopActor (PayoutEnd) -> Void)
    /// Asks what became of a payment, and is told until it has ended.
    func follow(_ hash: PaymentHash, answered: @escaping @LoopActor (PayoutAnswer) -> Void, ended: @escaping @LoopActor (PayoutEnd) -> Void)
    /// Those after a number, in the order in which they were begun.
    func payments(after number: UInt64, limit: Int, _ reply: @escaping NodeReply<[SentPayment]>)
    func estimateFee(to destination: PublicKey, _ amount: Millisatoshis, _ reply: @escaping NodeReply<FeeEstimate>)

    // MARK: Invoices of the node itself

    func createInvoice(_ wish: NodeInvoiceWish, _ reply: @escaping NodeReply<NodeInvoice>)
    func invoice(_ hash: PaymentHash, _ reply: @escaping NodeReply<NodeInvoice>)
    /// Those after a number, in the order in which they were made.
    func invoices(after number: UInt64, limit: Int, _ reply: @escaping NodeReply<[NodeInvoice]>)
    /// Tells the invoice as it is and with each change; `ended` once it has ended, or cannot be told any more.
    func watchInvoice(_ hash: PaymentHash, changed: @escaping @LoopActor (NodeInvoice) -> Void, ended: @escaping NodeReply<Void>) -> any NodeWatch
    func settleInvoice(_ preimage: Preimage, _ reply: @escaping NodeReply<Void>)
    func cancelInvoice(_ hash: PaymentHash, _ reply: @escaping NodeReply<Void>)

    // MARK: Channels and wallet

    func channels(_ reply: @escaping NodeReply<[NodeChannel]>)
    /// How both sides of a channel forward.
    func policies(of chanID: UInt64, _ reply: @escaping NodeReply<ChannelPolicies>)
    func watchChannels(changed: @escaping @LoopActor (ChannelEvent) -> Void, ended: @escaping NodeReply<Void>) -> any NodeWatch
    func balances(_ reply: @escaping NodeReply<NodeBalances>)
    func peers(_ reply: @escaping NodeReply<[NodePeer]>)
    /// Being connected already is no error.
    func connect(to peer: PublicKey, at address: String, _ reply: @escaping NodeReply<Void>)
    func newAddress(_ reply: @escaping NodeReply<String>)
    func sign(_ message: [UInt8], _ reply: @escaping NodeReply<String>)
    /// Whose signature it is; `nil` if nobody's.
    func verify(_ message: [UInt8], signature: String, _ reply: @escaping NodeReply<PublicKey?>)
}
