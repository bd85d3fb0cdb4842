public import Payments

/// Which part of the stream a reader sees.
public struct EventFilter: Hashable, Sendable {
    public var account: Int64?
    /// Empty means all.
    public var types: [EventType]
    public var paymentHash: PaymentHash?

    public init(account: Int64? = nil, types: [EventType] = [], paymentHash: PaymentHash? = nil) {
        self.account = account
        self.types = types
        self.paymentHash = paymentHash
    }

    public func admits(_ event: PublishedEvent) -> Bool {
        if let account, event.account != account { return false }
        if let paymentHash, event.paymentHash != paymentHash { return false }
        return types.isEmpty || types.contains(event.type)
    }
}
