public import Payments

/// What an endpoint's machine wants done.
public enum DeliveryOrder: Equatable, Sendable {
    /// Read the log behind this offset, for the endpoint's types, and tell what is there.
    case read(after: Int64)
    /// Read the stored deliveries whose time has come, and tell them.
    case loadRetries(limit: Int)
    case send(Attempt)
    /// Store how an attempt ended, together with the machine's ``EndpointMachine/Progress``.
    case record(DeliveryRecord)
    /// It works again: what waits for its next attempt need not wait.
    case bringForward
    /// Nothing is sent any more until the owner enables it.
    case disable(DisabledReason)

    public struct Attempt: Equatable, Sendable {
        public var event: PublishedEvent
        /// Counts from one.
        public var number: Int
        public var isRetry: Bool
    }
}

/// Why nothing is sent to an endpoint.
public enum DisabledReason: String, Equatable, Sendable {
    /// By its owner.
    case owner
    /// It answered 410.
    case gone
    /// It took nothing for four days.
    case failing
}

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
