public import Payments

/// What a new invoice is made with.
public struct IssuedSecret: Equatable, Sendable {
    /// For the invoice's field `s`.
    public var secret: PaymentSecret
    /// Computed again from the secret when the payment comes; it need not be stored.
    public var preimage: Preimage
    public var paymentHash: PaymentHash
}
