public import Payments

/// Part of a list of invoices, newest first.
public struct InvoicePage: Equatable, Sendable {
    public var invoices: [InvoiceRecord]
    /// Where the next page begins; `nil` on the last one. A page may hold fewer than were asked for, and still not be the
    /// last: then much was looked at that did not fit.
    public var next: PageCursor?

    public init(invoices: [InvoiceRecord], next: PageCursor?) {
        self.invoices = invoices
        self.next = next
    }
}
