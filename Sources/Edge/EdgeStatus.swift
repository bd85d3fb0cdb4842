/// How an edge stands at this moment.
public struct EdgeStatus: Equatable, Sendable {
    /// HTTP connections, those that stream among them.
    public var httpConnections = 0
    public var eventStreams = 0
    public var webSocketClients = 0
    /// Subscriptions by kind of channel: `invoice`, `events`, `htlcs`, `nodes`.
    public var subscriptions: [String: Int] = [:]
    /// Bytes that wait for clients that do not read fast enough.
    public var queuedBytes = 0
    public var counters = EdgeCounters()
    public init() {}
}
