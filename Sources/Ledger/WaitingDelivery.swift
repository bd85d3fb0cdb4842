public import Payments

/// A stored delivery that waits for an attempt.
public struct WaitingDelivery: Equatable, Sendable {
    public var event: PublishedEvent
    /// Whether the log still holds it; otherwise it has no data.
    public var isKept: Bool
    public var attempts: Int
    public var nextAttemptAt: UnixTime
}
