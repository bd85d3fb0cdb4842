public import Payments

/// What is asked of an account's invoices. They come newest first.
public struct InvoiceSearch: Equatable, Sendable {
    public var account: Int64
    public var state: InvoiceState?
    /// All of them. Sixty-four bits of a hash each, so somebody has to look whether the invoice has what was meant. The first
    /// one should be the rarest.
    public var terms: [Int64]
    /// At this time or after it.
    public var createdAfter: UnixTime?
    public var createdBefore: UnixTime?
    /// An earlier page's `next`.
    public var after: PageCursor?
    public var limit: Int

    public init(
        account: Int64, state: InvoiceState? = nil, terms: [Int64] = [], createdAfter: UnixTime? = nil, createdBefore: UnixTime? = nil,
        after: PageCursor? = nil, limit: Int
    ) {
        self.account = account
        self.state = state
        self.terms = terms
        self.createdAfter = createdAfter
        self.createdBefore = createdBefore
        self.after = after
        self.limit = limit
    }
}
