public import Payments

/// What a WebSocket client can subscribe to.
public enum Channel: Hashable, Sendable {
    case invoice(PaymentHash)
    case events
    case htlcs
    case nodes

    public init?(_ name: String) {
        switch name {
        case "events": self = .events
        case "htlcs": self = .htlcs
        case "nodes": self = .nodes
        default:
            guard name.hasPrefix("invoice:"), let hash = PaymentHash(hex: String(name.dropFirst(8))) else { return nil }
            self = .invoice(hash)
        }
    }

    public var name: String {
        switch self {
        case .invoice(let hash): "invoice:\(hash)"
        case .events: "events"
        case .htlcs: "htlcs"
        case .nodes: "nodes"
        }
    }

    /// Who may subscribe: a key with the scope, or for an invoice whoever holds its watch token.
    public func admits(_ credentials: Credentials) -> Bool {
        switch self {
        case .invoice(let hash): credentials == .watch(hash) || credentials.allows(.eventsRead)
        case .events, .htlcs: credentials.allows(.eventsRead)
        case .nodes: credentials.allows(.nodesRead)
        }
    }

    /// The types it carries; `nil` for all.
    public var types: [EventType]? {
        switch self {
        case .invoice, .events: nil
        case .htlcs: Self.htlcTypes
        case .nodes: Self.nodeTypes
        }
    }

    // Asked for each event that is published: made once.
    private static let htlcTypes: [EventType] = [.htlcAccepted, .htlcSettled, .htlcFailed]
    private static let nodeTypes: [EventType] = [.nodeConnected, .nodeDisconnected]
}
