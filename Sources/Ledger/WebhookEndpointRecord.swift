public import Delivery
public import Payments

/// Where an account wants its events sent, as it is stored. No secret is: see `Keys`.
public struct WebhookEndpointRecord: Equatable, Sendable {
    public enum Signature: String, Equatable, Sendable, CaseIterable { case v1, v1a }

    public var id: String
    /// Counts endpoints in the order in which they were made.
    public var number: Int64 = 0
    public var account: Int64
    public var url: String
    public var events: [String]
    public var description: String
    public var signatures: [Signature]
    /// Requests that may be under way to it at once.
    public var concurrency: Int64
    public var disabledReason: DisabledReason?
    /// How often its secrets were replaced, counting from one.
    public var generation: Int64 = 1
    /// Until then the secrets before the present ones sign too.
    public var previousUntil: UnixTime?
    public var createdAt: UnixTime
    public var isDeleted = false
    /// Grows with every change that its owner makes.
    public var version: Int64 = 0
    public var progress: EndpointMachine.Progress
    /// The first of its deliveries that waits for another attempt.
    public var nextAttemptAt: UnixTime?

    public init(
        id: String, account: Int64, url: String, events: [String], description: String = "", signatures: [Signature] = [.v1],
        concurrency: Int64 = 1, disabledReason: DisabledReason? = nil, createdAt: UnixTime, cursor: Int64 = 0
    ) {
        self.id = id
        self.account = account
        self.url = url
        self.events = events
        self.description = description
        self.signatures = signatures
        self.concurrency = concurrency
        self.disabledReason = disabledReason
        self.createdAt = createdAt
        progress = EndpointMachine.Progress(cursor: cursor)
    }
}
