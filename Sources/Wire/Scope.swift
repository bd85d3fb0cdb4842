/// What an API key may do.
public enum Scope: String, Equatable, Hashable, Sendable, CaseIterable {
    case invoicesRead = "invoices:read"
    case invoicesWrite = "invoices:write"
    case invoicesSettle = "invoices:settle"
    case eventsRead = "events:read"
    case nodesRead = "nodes:read"
    case nodesWrite = "nodes:write"
    case paymentsWrite = "payments:write"
    case webhooksWrite = "webhooks:write"
    case admin
}
