/// Why an HTLC failed, as the merchant is told. The payer is told less.
public enum HTLCFailure: String, CaseIterable, Sendable {
    /// It came after the invoice's expiry.
    case late
    /// Its set would have been less than the invoice asks.
    case underpaid
    /// More than twice what the invoice asks.
    case overpaid
    /// The other parts of its set did not come in time.
    case incomplete
    /// Nobody decided in time, or a deadline came near.
    case released
    case canceled
    /// The invoice was settled and the node failed it all the same.
    case lost

    /// `nil` for what is no matter between payer and merchant.
    public init?(_ rejection: Rejection) {
        switch rejection {
        case .late: self = .late
        case .underpaid: self = .underpaid
        case .overpaid: self = .overpaid
        case .timedOut: self = .incomplete
        case .notPayable, .noAmount, .totalMismatch, .expiryRefused, .setFull, .released, .unattended, .overloaded, .routingRefused,
            .amountBelowOnion, .expiryBelowOnion:
            return nil
        }
    }
}
