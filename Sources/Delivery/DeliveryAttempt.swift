public import Payments

/// An event that is to be sent to an endpoint, now or when there is a place.
public struct DeliveryAttempt: Equatable, Sendable {
    public var event: PublishedEvent
    /// Counts from one.
    public var number: Int
    public var isRetry: Bool

    public init(event: PublishedEvent, number: Int, isRetry: Bool) {
        self.event = event
        self.number = number
        self.isRetry = isRetry
    }
}
