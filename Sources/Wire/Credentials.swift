public import Payments

/// Who somebody has proved to be. The same value answers for REST, streams and WebSocket.
public enum Credentials: Equatable, Sendable {
    case key(id: String, account: Int64, scopes: Scopes)
    /// Whoever holds the watch token of one invoice.
    case watch(PaymentHash)

    /// A key with `admin` may do everything.
    public func allows(_ scope: Scope) -> Bool {
        guard case .key(_, _, let scopes) = self else { return false }
        return scopes.contains(scope) || scopes.contains(.admin)
    }

    public var account: Int64? {
        guard case .key(_, let account, _) = self else { return nil }
        return account
    }
}
