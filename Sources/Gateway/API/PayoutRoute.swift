internal import Edge
internal import Payments
internal import Wire

/// What is asked for about money out and about the nodes' own money.
enum PayoutRoute: Equatable {
    case create
    case list
    case show(PayoutID)
    case channels
    case balance
    case peers
    case connectPeer
    case nodeInvoices
    case createNodeInvoice
    case decode

    init?(_ method: HTTPRequest.Method, _ segments: [String]) {
        switch (method, segments.count, segments[0]) {
        case (.post, 1, "payments"): self = .create
        case (.get, 1, "payments"): self = .list
        case (.get, 2, "payments"): self = .show(PayoutID(segments[1]))
        case (.get, 1, "channels"): self = .channels
        case (.get, 1, "balance"): self = .balance
        case (.get, 1, "peers"): self = .peers
        case (.post, 1, "peers"): self = .connectPeer
        case (.get, 1, "node-invoices"): self = .nodeInvoices
        case (.post, 1, "node-invoices"): self = .createNodeInvoice
        case (.post, 1, "decode"): self = .decode
        default: return nil
        }
    }

    static let names: Set<String> = ["payments", "channels", "balance", "peers", "node-invoices", "decode"]

    var isOperators: Bool {
        switch self {
        case .channels, .peers, .connectPeer, .nodeInvoices, .createNodeInvoice: true
        case .create, .list, .show, .balance, .decode: false
        }
    }

    var scope: Scope {
        switch self {
        case .create, .list, .show, .decode: .paymentsWrite
        case .channels, .balance, .peers: .nodesRead
        case .connectPeer: .nodesWrite
        case .nodeInvoices: .invoicesRead
        case .createNodeInvoice: .invoicesWrite
        }
    }
}
