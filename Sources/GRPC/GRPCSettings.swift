/// Limits and times of a connection; the defaults suit a client of LND, and LND.
public struct GRPCSettings: Sendable {
    /// For connecting and for the TLS handshake each.
    public var connectTimeoutMilliseconds: UInt64 = 10_000
    /// Between pings, which go out only while a call is open: LND punishes others.
    public var keepaliveMilliseconds: UInt64 = 30_000
    /// How long the answer to a ping may take.
    public var keepaliveTimeoutMilliseconds: UInt64 = 20_000
    /// A longer message ends its call with RESOURCE_EXHAUSTED.
    public var maximumMessageBytes = 200 * 1024 * 1024
    /// What a peer may send before it is read, on each call and on all calls of a connection.
    public var callWindowBytes = 8 << 20
    public var connectionWindowBytes = 16 << 20
    /// Calls that a peer may have open on one connection; it waits with more.
    public var maximumCallsPerConnection = 1000
    public var userAgent = "leyden"

    // A server's, in which every client is a stranger.

    /// More connections are closed at once.
    public var maximumConnections = Int.max
    /// More calls, on all connections together, end with RESOURCE_EXHAUSTED.
    public var maximumCalls = Int.max
    /// How long the request of a call that has one may take to come.
    public var requestTimeoutMilliseconds: UInt64 = 30_000
    /// How long a new connection may wait with its first call, and how long one without a call is kept. Zero: for ever.
    public var firstCallTimeoutMilliseconds: UInt64 = 0
    public var idleTimeoutMilliseconds: UInt64 = 0

    public init() {}
}
