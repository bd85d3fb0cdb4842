public import Payments

/// One line of the books.
public struct BookLine: Equatable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        /// What the parts of a payment brought that were settled.
        case payment
        /// What payers left to the virtual channels: the node received that much more.
        case fee
        /// What was paid out, without what it cost on the way.
        case payout
        /// What a payout cost on the way.
        case payoutFee = "payout_fee"
    }

    public var kind: Kind
    public var time: UnixTime
    public var paymentHash: PaymentHash
    public var setID: SetID?
    public var orderID: String?
    public var description: String?
    public var state: InvoiceState
    /// What the invoice asked for.
    public var asked: Millisatoshis?
    public var amount: Millisatoshis

    public init(
        kind: Kind, time: UnixTime, paymentHash: PaymentHash, setID: SetID?, orderID: String?, description: String?, state: InvoiceState,
        asked: Millisatoshis?, amount: Millisatoshis
    ) {
        self.kind = kind
        self.time = time
        self.paymentHash = paymentHash
        self.setID = setID
        self.orderID = orderID
        self.description = description
        self.state = state
        self.asked = asked
        self.amount = amount
    }
}
