/// The life of an invoice as the outside sees it.
public enum InvoiceState: String, Equatable, Sendable, CaseIterable {
    case open
    /// A complete set is held and somebody has to decide.
    case accepted
    /// The decision to settle is durable; the preimage is on its way to the nodes.
    case settleRequested = "settle_requested"
    /// The final resolution of every HTLC was seen, and each was settled.
    case settled
    case canceled
    case expired
    /// Settlement was requested, but at least one HTLC ended unpaid.
    case failed

    /// Whether the decision to release the preimage has been made.
    public var isReleased: Bool { self == .settleRequested || self == .settled || self == .failed }
}
