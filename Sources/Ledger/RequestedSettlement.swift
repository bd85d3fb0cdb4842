public import Payments

/// An invoice that was asked to be settled, at its place among those of its account.
public struct RequestedSettlement: Equatable, Sendable {
    /// Counts from one.
    public var sequence: Int64
    public var paymentHash: PaymentHash
    public var preimage: Preimage?
    public var received: Millisatoshis
    public var state: InvoiceState
    public var requestedAt: UnixTime
    /// When the last HTLC was final.
    public var finalizedAt: UnixTime?

    public init(
        sequence: Int64, paymentHash: PaymentHash, preimage: Preimage?, received: Millisatoshis, state: InvoiceState,
        requestedAt: UnixTime, finalizedAt: UnixTime?
    ) {
        self.sequence = sequence
        self.paymentHash = paymentHash
        self.preimage = preimage
        self.received = received
        self.state = state
        self.requestedAt = requestedAt
        self.finalizedAt = finalizedAt
    }
}
