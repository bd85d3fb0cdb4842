/// An HTLC whose onion was opened and whose payment secret is ours and matches the hash.
public struct Offer: Equatable, Sendable {
    public var paymentHash: PaymentHash
    public var htlc: HeldHTLC
    public var terms: InvoiceTerms
    public var preimage: Preimage
    /// What is wrong with the HTLC itself, whatever else is known of the payment. It is not failed for that alone: a part
    /// of a settlement is settled again even if the routing policy was changed meanwhile.
    public var refusal: Rejection?
    /// Whether somebody is there to decide about a set that would begin with it.
    public var isAttended = true

    public init(paymentHash: PaymentHash, htlc: HeldHTLC, terms: InvoiceTerms, preimage: Preimage, refusal: Rejection? = nil) {
        self.paymentHash = paymentHash
        self.htlc = htlc
        self.terms = terms
        self.preimage = preimage
        self.refusal = refusal
    }
}
