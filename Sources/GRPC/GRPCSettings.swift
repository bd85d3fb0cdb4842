/// Limits and times of a connection; the defaults suit LND.
public struct GRPCSettings: Sendable {
    /// For connecting and for the TLS handshake each.
    public var connectTimeoutMilliseconds: UInt64 = 10_000
    /// Between pings, which go out only while a call is open: LND punishes others.
    public var keepaliveMilliseconds: UInt64 = 30_000
    /// How long the answer to a ping may take.
    public var keepaliveTimeoutMilliseconds: UInt64 = 20_000
    /// A longer message ends its call with RESOURCE_EXHAUSTED.
    public var maximumMessageBytes = 200 * 1024 * 1024
    public var userAgent = "leyden"

    public init() {}
}
