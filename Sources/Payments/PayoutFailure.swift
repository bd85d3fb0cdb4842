/// Why nothing was paid, for certain.
public enum PayoutFailure: String, CaseIterable, Sendable {
    case noRoute = "no_route"
    /// No way was found in the time there was.
    case timedOut = "timeout"
    /// The payee knows no such payment, or wants another amount.
    case incorrectDetails = "incorrect_payment_details"
    case insufficientBalance = "insufficient_balance"
    /// The node gave up for a reason of its own, or does not say for which.
    case nodeError = "node_error"
    case canceled
    case invoiceExpired = "invoice_expired"
    /// No node with the means was to be had.
    case noNode = "no_node"
    /// The node was never asked, or refused before it began.
    case notStarted = "not_started"

    /// Whether another node may have more luck. What the payee refuses it refuses from everybody.
    public var mayBeTriedElsewhere: Bool {
        switch self {
        case .noRoute, .timedOut, .insufficientBalance, .nodeError, .notStarted: true
        case .incorrectDetails, .canceled, .invoiceExpired, .noNode: false
        }
    }
}
