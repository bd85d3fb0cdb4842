public import Payments

/// A stored delivery whose time has come.
public struct DueDelivery: Equatable, Sendable {
    public var event: PublishedEvent
    /// Attempts that were made.
    public var attempts: Int

    public init(event: PublishedEvent, attempts: Int) {
        self.event = event
        self.attempts = attempts
    }
}
