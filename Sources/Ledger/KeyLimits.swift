/// How much a key may do. `nil` is what the gateway is configured for, zero is no limit.
public struct KeyLimits: Equatable, Sendable {
    /// Requests in a second.
    public var rate: Int64?
    /// Stored invoices that are neither settled nor ended otherwise.
    public var openInvoices: Int64?

    /// What it may spend in all, fees and all that is set aside included; here zero is nothing, and `nil` as much as its account.
    public var budget: Int64?

    public init(rate: Int64? = nil, openInvoices: Int64? = nil, budget: Int64? = nil) {
        self.rate = rate
        self.openInvoices = openInvoices
        self.budget = budget
    }
}
