/// The names under which changes are told to the outside. They never change.
public enum EventType: String, Equatable, Sendable, CaseIterable {
    case invoiceCreated = "invoice.created"
    case invoiceAccepted = "invoice.accepted"
    case invoiceSettleRequested = "invoice.settle_requested"
    case invoiceSettled = "invoice.settled"
    case invoiceReleased = "invoice.released"
    case invoiceCanceled = "invoice.canceled"
    case invoiceExpired = "invoice.expired"
    case invoiceFailed = "invoice.failed"
    case htlcAccepted = "htlc.accepted"
    case htlcSettled = "htlc.settled"
    case htlcFailed = "htlc.failed"
    case nodeConnected = "node.connected"
    case nodeDisconnected = "node.disconnected"
}
