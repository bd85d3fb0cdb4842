public import Payments

/// Who somebody has proved to be. The same value answers for REST, streams, WebSocket and gRPC.
public enum Credentials: Equatable, Sendable {
    /// `generation` tells the secrets apart that the key has had.
    case key(id: String, account: Int64, scopes: Scopes, generation: Int32 = 1)
    /// Whoever holds the watch token of one invoice.
    case watch(PaymentHash)

    /// A key with `admin` may do everything.
    public func allows(_ scope: Scope) -> Bool {
        guard case .key(_, _, let scopes, _) = self else { return false }
        return scopes.contains(scope) || scopes.contains(.admin)
    }

    /// The invoice that a watch token is for.
    public var watched: PaymentHash? {
        guard case .watch(let hash) = self else { return nil }
        return hash
    }

    public var account: Int64? {
        guard case .key(_, let account, _, _) = self else { return nil }
        return account
    }
}

/// What has become of somebody's credentials since they were shown.
public enum Standing: Equatable, Sendable {
    case valid
    /// Their time is over: the key's, or that of a secret that was replaced.
    case expired
    case revoked
}
