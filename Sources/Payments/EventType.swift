/// The names under which changes are told to the outside. They never change.
public enum EventType: CaseIterable, Hashable, Sendable {
    case invoiceCreated
    case invoiceAccepted
    case invoiceSettleRequested
    case invoiceSettled
    case invoiceReleased
    case invoiceCanceled
    case invoiceExpired
    case invoiceFailed
    case htlcAccepted
    case htlcSettled
    case htlcFailed
    case paymentCreated
    case paymentSending
    case paymentUnknown
    case paymentSettled
    case paymentFailed
    case nodeConnected
    case nodeDisconnected
    /// A newer version wrote it. Readers get it as it is: left out, it would be a gap in the offsets.
    case other(String)

    /// Those that this version writes.
    public static let allCases: [Self] = [
        .invoiceCreated, .invoiceAccepted, .invoiceSettleRequested, .invoiceSettled, .invoiceReleased, .invoiceCanceled, .invoiceExpired,
        .invoiceFailed, .htlcAccepted, .htlcSettled, .htlcFailed, .paymentCreated, .paymentSending, .paymentUnknown, .paymentSettled,
        .paymentFailed, .nodeConnected, .nodeDisconnected,
    ]

    private static let named = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })

    public init(rawValue: String) { self = Self.named[rawValue] ?? .other(rawValue) }

    public var rawValue: String {
        switch self {
        case .invoiceCreated: "invoice.created"
        case .invoiceAccepted: "invoice.accepted"
        case .invoiceSettleRequested: "invoice.settle_requested"
        case .invoiceSettled: "invoice.settled"
        case .invoiceReleased: "invoice.released"
        case .invoiceCanceled: "invoice.canceled"
        case .invoiceExpired: "invoice.expired"
        case .invoiceFailed: "invoice.failed"
        case .htlcAccepted: "htlc.accepted"
        case .htlcSettled: "htlc.settled"
        case .htlcFailed: "htlc.failed"
        case .paymentCreated: "payment.created"
        case .paymentSending: "payment.sending"
        case .paymentUnknown: "payment.unknown"
        case .paymentSettled: "payment.settled"
        case .paymentFailed: "payment.failed"
        case .nodeConnected: "node.connected"
        case .nodeDisconnected: "node.disconnected"
        case .other(let name): name
        }
    }
}
