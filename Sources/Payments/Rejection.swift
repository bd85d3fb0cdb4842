/// Why an HTLC is failed. What the payer is told of it is coarser.
public enum Rejection: Equatable, Sendable {
    /// The invoice is canceled, paid by another set, or was never ours.
    case notPayable
    /// It came after the invoice's expiry.
    case late
    /// An amount is zero.
    case noAmount
    /// The total is less than the invoice's amount.
    case underpaid
    /// The total is more than twice the invoice's amount.
    case overpaid
    /// Parts of one set disagree about the total.
    case totalMismatch
    /// The expiry leaves too few blocks, or far too many.
    case expiryRefused
    /// The set is complete, or has as many parts as it may.
    case setFull
    /// The rest of the set did not come in time (BOLT 4 `mpp_timeout`).
    case timedOut
    /// Nobody decided in time, somebody canceled, or a deadline came near.
    case released
    /// Nobody listens who would decide about it.
    case unattended
    /// Too many incomplete sets are held on the node.
    case overloaded
    /// The virtual channel would not have forwarded it: too small a fee or too few blocks.
    case routingRefused
    /// The HTLC carries less than its onion says (BOLT 4 `final_incorrect_htlc_amount`).
    case amountBelowOnion
    /// The HTLC expires before its onion says (BOLT 4 `final_incorrect_cltv_expiry`).
    case expiryBelowOnion(UInt32)
}
