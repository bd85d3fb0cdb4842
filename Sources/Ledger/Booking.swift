public import Payments

/// A payment that has ended and of which something was received, or one that was made: what the books need.
public struct Booking: Equatable, Sendable {
    public enum Direction: Sendable { case received, paidOut }

    public var direction: Direction
    public var paymentHash: PaymentHash
    public var setID: SetID?
    public var orderID: String?
    /// What the invoice says, or what a payout was made for.
    public var description: String?
    /// `settled`, or `failed` if only some of its parts were received.
    public var state: InvoiceState
    /// What the invoice asked for.
    public var asked: Millisatoshis?
    /// Of the parts that were settled, or what the payee got.
    public var amount: Millisatoshis
    /// What the payer left to the virtual channels on top of it, or what the payout cost on the way.
    public var fee: Millisatoshis
    /// When the last part had ended.
    public var time: UnixTime
}

/// Which payments and payouts: those that ended at `from` or later, and before `until`.
public struct BookingSearch: Equatable, Sendable {
    public var account: Int64
    public var from: UnixTime
    public var until: UnixTime
    /// An earlier page's `next`.
    public var after: PageCursor?
    public var limit: Int

    public init(account: Int64, from: UnixTime, until: UnixTime, after: PageCursor? = nil, limit: Int) {
        self.account = account
        self.from = from
        self.until = until
        self.after = after
        self.limit = limit
    }
}

/// Part of the books, oldest first.
public struct BookingPage: Equatable, Sendable {
    public var bookings: [Booking]
    /// Where the next page begins; `nil` on the last one.
    public var next: PageCursor?
}
