internal import Payments
public import Wire

/// Who asks with an API key, once that is proved: the same for REST, streams, WebSocket and gRPC.
public struct Caller: Equatable, Sendable {
    public var keyID: String
    /// Whose invoices and events these are. No handler reads or writes anything of another.
    public var account: Int64
    public var credentials: Credentials

    /// The account that owns the gateway: its nodes, their events, and the other accounts. An `admin` of another account is
    /// one of that account alone.
    public static let operatorAccount: Int64 = 1

    public var isOperator: Bool { account == Self.operatorAccount }

    /// `nil` for a watch token, which is nobody's.
    init?(_ credentials: Credentials) {
        guard case .key(let id, let account, _, _) = credentials else { return nil }
        keyID = id
        self.account = account
        self.credentials = credentials
    }
}
