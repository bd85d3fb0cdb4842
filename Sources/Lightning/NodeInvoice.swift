public import Payments

/// An invoice that a node is to make for itself.
public struct NodeInvoiceWish: Equatable, Sendable {
    public var memo: String
    public var amount: Millisatoshis?
    public var expirySeconds: Int64
    /// Given, the invoice is held: whoever knows the preimage settles it.
    public var holding: PaymentHash?
    /// Whether it names private channels.
    public var namesPrivateChannels: Bool

    public init(memo: String = "", amount: Millisatoshis?, expirySeconds: Int64 = 3600, holding: PaymentHash? = nil, namesPrivateChannels: Bool = false) {
        self.memo = memo
        self.amount = amount
        self.expirySeconds = expirySeconds
        self.holding = holding
        self.namesPrivateChannels = namesPrivateChannels
    }
}

/// An invoice of a node itself.
public struct NodeInvoice: Equatable, Sendable {
    public enum State: String, Equatable, Sendable { case open, accepted, settled, canceled }

    /// By which the node's list goes on.
    public var number: UInt64
    public var paymentHash: PaymentHash
    public var paymentRequest: String
    public var memo: String
    public var amount: Millisatoshis?
    public var received: Millisatoshis
    public var state: State
    public var createdAt: UnixTime
    public var expiresAt: UnixTime
    public var settledAt: UnixTime?

    public init(
        number: UInt64, paymentHash: PaymentHash, paymentRequest: String, memo: String, amount: Millisatoshis?, received: Millisatoshis = .zero,
        state: State, createdAt: UnixTime, expiresAt: UnixTime, settledAt: UnixTime? = nil
    ) {
        self.number = number
        self.paymentHash = paymentHash
        self.paymentRequest = paymentRequest
        self.memo = memo
        self.amount = amount
        self.received = received
        self.state = state
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.settledAt = settledAt
    }
}
