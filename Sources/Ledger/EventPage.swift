public import Payments

/// A part of the log and how far back the log reaches.
public struct EventPage: Equatable, Sendable {
    public var events: [PublishedEvent]
    /// The oldest offset that was still kept when the events were read.
    public var first: Int64

    public init(events: [PublishedEvent], first: Int64) {
        self.events = events
        self.first = first
    }
}

/// How far somebody has read about one invoice.
public struct InvoicePlace: Hashable, Sendable {
    public var paymentHash: PaymentHash
    public var after: Int64

    public init(paymentHash: PaymentHash, after: Int64) {
        self.paymentHash = paymentHash
        self.after = after
    }
}
