public import Payments

/// An invoice that is about to be made by a key with a limit.
public struct CountedInvoice: Equatable, Sendable {
    public var keyID: String
    public var paymentHash: PaymentHash
    public var limit: Int64

    public init(keyID: String, paymentHash: PaymentHash, limit: Int64) {
        self.keyID = keyID
        self.paymentHash = paymentHash
        self.limit = limit
    }
}
