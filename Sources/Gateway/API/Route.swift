internal import Edge
internal import Payments
internal import Wire

/// What a request asks for: method and path, read once.
enum Route: Equatable {
    enum WatchForm: Equatable { case invoice, qrCode }

    case createInvoice
    case listInvoices
    case invoice(PaymentHash)
    case waitForInvoice(PaymentHash)
    case settleInvoice(PaymentHash)
    case cancelInvoice(PaymentHash)
    case export
    case events
    case nodes
    case drainNode(PublicKey)
    case resumeNode(PublicKey)
    case info
    case createAccount
    case listAccounts
    case createKey
    case listKeys
    case revokeKey(String)
    case rotateKey(String)
    case audit
    case watch(token: String, WatchForm)
    case webhooks(WebhookRoute)
    case payLinks(PayLinkRoute)
    case login
    case payouts(PayoutRoute)

    init?(_ method: HTTPRequest.Method, _ path: String) {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        let method = method == .head ? .get : method
        guard segments.first == "v1" else { return nil }
        switch (method, segments.count) {
        case (.post, 2) where segments[1] == "invoices": self = .createInvoice
        case (.get, 2) where segments[1] == "invoices": self = .listInvoices
        case (.get, 2) where segments[1] == "export": self = .export
        case (.get, 2) where segments[1] == "events": self = .events
        case (.get, 2) where segments[1] == "nodes": self = .nodes
        case (.get, 2) where segments[1] == "info": self = .info
        case (.post, 2) where segments[1] == "accounts": self = .createAccount
        case (.get, 2) where segments[1] == "accounts": self = .listAccounts
        case (.post, 2) where segments[1] == "keys": self = .createKey
        case (.get, 2) where segments[1] == "keys": self = .listKeys
        case (.delete, 3) where segments[1] == "keys" && APIKeyText.isID(segments[2]): self = .revokeKey(segments[2])
        case (.post, 4) where segments[1] == "keys" && APIKeyText.isID(segments[2]) && segments[3] == "rotate": self = .rotateKey(segments[2])
        case (.get, 2) where segments[1] == "audit": self = .audit
        case (.post, 2) where segments[1] == "login": self = .login
        case (.get, 3) where segments[1] == "watch": self = .watch(token: segments[2], .invoice)
        case (.get, 4) where segments[1] == "watch" && segments[3] == "qr.svg": self = .watch(token: segments[2], .qrCode)
        case (_, 2...4) where segments[1] == "webhooks":
            guard let route = WebhookRoute(method, segments.dropFirst(2)) else { return nil }
            self = .webhooks(route)
        case (_, 3...4) where segments[1] == "lnurl":
            guard let route = PayLinkRoute(method, segments.dropFirst(2)) else { return nil }
            self = .payLinks(route)
        case (_, 2...3) where PayoutRoute.names.contains(segments[1]):
            guard let route = PayoutRoute(method, Array(segments.dropFirst())) else { return nil }
            self = .payouts(route)
        case (_, 3...4) where segments[1] == "invoices":
            guard let hash = PaymentHash(hex: segments[2]) else { return nil }
            switch (method, segments.dropFirst(3).first) {
            case (.get, nil): self = .invoice(hash)
            case (.get, "wait"): self = .waitForInvoice(hash)
            case (.post, "settle"): self = .settleInvoice(hash)
            case (.post, "cancel"): self = .cancelInvoice(hash)
            default: return nil
            }
        case (.post, 4) where segments[1] == "nodes":
            guard let key = PublicKey(hex: segments[2]) else { return nil }
            switch segments[3] {
            case "drain": self = .drainNode(key)
            case "resume": self = .resumeNode(key)
            default: return nil
            }
        default: return nil
        }
    }

    /// Whether another method would be answered at this path.
    static func isKnown(_ path: String) -> Bool {
        HTTPRequest.Method.allCases.contains { Route($0, path) != nil }
    }

    /// Whether only keys of the gateway's own account may ask: the nodes serve all accounts alike.
    var isOperators: Bool {
        switch self {
        case .drainNode, .resumeNode, .createAccount: true
        case .payouts(let route): route.isOperators
        default: false
        }
    }

    /// What the key has to be allowed; `nil` where every valid key will do.
    var scope: Scope? {
        switch self {
        case .createInvoice: .invoicesWrite
        case .listInvoices, .invoice, .waitForInvoice, .export, .watch: .invoicesRead
        case .settleInvoice, .cancelInvoice: .invoicesSettle
        case .events: .eventsRead
        case .nodes: .nodesRead
        case .info, .login: nil
        case .createAccount, .listAccounts, .createKey, .listKeys, .revokeKey, .rotateKey, .audit: .admin
        case .drainNode, .resumeNode: .nodesWrite
        case .webhooks: .webhooksWrite
        case .payLinks(let route): route.isReading ? .invoicesRead : .invoicesWrite
        case .payouts(let route): route.scope
        }
    }
}
