public import Payments

/// The body of `POST /v1/keys`.
public struct KeyRequest: Equatable, Sendable {
    public var name: String
    public var scopes: [Scope]
    /// That of the key which asks, if the request does not say.
    public var account: Int64?
    public var expiry: Expiry?
    /// Requests in a second, and open invoices; zero is no limit, `nil` what the gateway is configured for.
    public var rate: Int64?
    public var openInvoices: Int64?
    /// What it may spend in all, in millisatoshis; `nil` for as much as its account.
    public var budget: Int64?

    public enum Expiry: Equatable, Sendable {
        case at(UnixTime)
        case after(seconds: Int64)
    }

    static let maximumLimit: UInt64 = 1_000_000
    static let maximumSeconds: UInt64 = 3_153_600_000

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(body, known: ["name", "scopes", "account", "expires_at", "expires_in_seconds", "limits"])
        name = try fields.name("name", required: false)
        guard let items = fields["scopes"]?.items, !items.isEmpty else { throw .invalid(field: "scopes", "must be a list of scopes, and not empty") }
        scopes = []
        for item in items {
            guard let text = item.text, let scope = Scope(rawValue: text) else {
                throw .invalid(field: "scopes", "must be of " + Scope.allCases.map(\.rawValue).joined(separator: ", "))
            }
            if !scopes.contains(scope) { scopes.append(scope) }
        }
        account = try fields.whole("account", in: 1...UInt64(UInt32.max)).map { Int64($0) }
        expiry = nil
        if let text = try fields.text("expires_at") {
            guard let time = RFC3339.time(text) else { throw .invalid(field: "expires_at", "must be a time as RFC 3339 writes it") }
            expiry = .at(time)
        }
        if let seconds = try fields.whole("expires_in_seconds", in: 1...Self.maximumSeconds) {
            guard expiry == nil else { throw .invalid(field: "expires_in_seconds", "not together with expires_at") }
            expiry = .after(seconds: Int64(seconds))
        }
        rate = nil
        openInvoices = nil
        budget = nil
        guard let limits = fields["limits"] else { return }
        guard let members = limits.members else { throw .invalid(field: "limits", "must be an object") }
        for (name, value) in members {
            guard ["requests_per_second", "open_invoices", "budget_msat"].contains(name) else { throw .unknownField("limits." + String(name.prefix(64))) }
            if value.isNull { continue }
            let most = name == "budget_msat" ? Millisatoshis.supply.value : Self.maximumLimit
            guard let number = value.whole, number <= most else {
                throw .invalid(field: "limits." + name, "must be a whole number from 0 to \(most)")
            }
            switch name {
            case "open_invoices": openInvoices = Int64(number)
            case "budget_msat": budget = Int64(number)
            default: rate = Int64(number)
            }
        }
    }
}
