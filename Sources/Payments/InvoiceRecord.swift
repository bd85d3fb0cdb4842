/// Everything that is stored of an invoice, as one value.
public struct InvoiceRecord: Equatable, Sendable {
    public enum Description: Equatable, Sendable {
        case text(String)
        case hash(Bytes32)
    }

    public var paymentHash: PaymentHash
    public var account: Int64
    /// Empty for a stateless invoice, of which only the payment is stored.
    public var paymentRequest: String
    public var terms: InvoiceTerms
    public var description: Description?
    /// A JSON object as the merchant gave it.
    public var metadata: String?
    /// Of a stateless invoice that was paid.
    public var note: PayerNote?
    /// The merchant's own name for what is paid.
    public var orderID: String?
    public var state: InvoiceState
    public var received: Millisatoshis
    public var createdAt: UnixTime
    public var setID: SetID?
    public var settledAt: UnixTime?
    public var preimage: Preimage?

    /// What was paid beyond what was asked; nothing if the payer chose the amount.
    public var overpaid: Millisatoshis { received.beyond(terms.amount) }

    public init(
        paymentHash: PaymentHash, account: Int64, paymentRequest: String, terms: InvoiceTerms,
        description: Description?, metadata: String?, note: PayerNote? = nil, orderID: String? = nil, state: InvoiceState = .open, received: Millisatoshis = .zero,
        createdAt: UnixTime, setID: SetID? = nil, settledAt: UnixTime? = nil, preimage: Preimage? = nil
    ) {
        self.paymentHash = paymentHash
        self.account = account
        self.paymentRequest = paymentRequest
        self.terms = terms
        self.description = description
        self.metadata = metadata
        self.note = note
        self.orderID = orderID
        self.state = state
        self.received = received
        self.createdAt = createdAt
        self.setID = setID
        self.settledAt = settledAt
        self.preimage = preimage
    }
}
