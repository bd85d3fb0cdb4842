public import Payments

/// How the delivery of one event to one endpoint stands.
public struct DeliveryRecord: Equatable, Sendable {
    public enum State: Int64, Equatable, Sendable {
        /// Another attempt follows.
        case waiting = 0
        case delivered = 1
        /// No attempt follows by itself.
        case failed = 2

        public var name: String {
            switch self {
            case .waiting: "waiting"
            case .delivered: "delivered"
            case .failed: "failed"
            }
        }
    }

    public var offset: Int64
    public var eventID: String
    public var type: EventType
    public var state: State
    /// Attempts since it was first or last wanted.
    public var attempt: Int
    /// The answer's, if there was one.
    public var status: Int?
    public var reason: String?
    public var attemptedAt: UnixTime
    public var nextAttemptAt: UnixTime?

    public init(
        offset: Int64, eventID: String, type: EventType, state: State, attempt: Int, status: Int? = nil, reason: String? = nil,
        attemptedAt: UnixTime, nextAttemptAt: UnixTime? = nil
    ) {
        self.offset = offset
        self.eventID = eventID
        self.type = type
        self.state = state
        self.attempt = attempt
        self.status = status
        self.reason = reason
        self.attemptedAt = attemptedAt
        self.nextAttemptAt = nextAttemptAt
    }
}
