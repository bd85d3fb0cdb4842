public import Payments

/// Part of a list of invoices, newest first.
public struct InvoicePage: Equatable, Sendable {
    public var invoices: [InvoiceRecord]
    /// Where the next page begins; `nil` on the last one.
    public var next: Int64?

    public init(invoices: [InvoiceRecord], next: Int64?) {
        self.invoices = invoices
        self.next = next
    }
}
