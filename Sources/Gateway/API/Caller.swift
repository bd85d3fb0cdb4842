internal import Payments
internal import Wire

/// Who asks with an API key, once that is proved: the same for REST, streams, WebSocket and whatever else lets somebody in.
struct Caller: Equatable {
    var keyID: String
    /// Whose invoices and events these are. No handler reads or writes anything of another.
    var account: Int64
    var credentials: Credentials
    /// The account that owns the gateway: its nodes, their events, and the other accounts.
    static let operatorAccount: Int64 = 1

    var isOperator: Bool { account == Self.operatorAccount }

    /// `nil` for a watch token, which is nobody's.
    init?(_ credentials: Credentials) {
        guard case .key(let id, let account, _) = credentials else { return nil }
        keyID = id
        self.account = account
        self.credentials = credentials
    }
}
