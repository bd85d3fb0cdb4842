public import Delivery
public import Payments

/// A stored delivery, for its endpoint's owner.
public struct WebhookDeliveryRow: Equatable, Sendable {
    public var record: DeliveryRecord
    /// All that were made, those before it was asked for again too.
    public var attempts: Int64
    public var attemptedAt: UnixTime?
}
