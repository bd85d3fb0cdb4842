/// What the edge has counted since it started.
public struct EdgeCounters: Equatable, Sendable {
    /// WebSocket clients that came and went.
    public var opened = 0
    public var closed = 0
    /// Close frames sent, by code. Those that there are begin at zero.
    public var closes: [UInt16: Int] = [1002: 0, 1003: 0, 1009: 0, 3001: 0, 3004: 0, 3008: 0, 3012: 0, 3013: 0, 3500: 0, 3501: 0, 3502: 0]
    /// Frames to single clients; a fan-out counts once.
    public var framesOut = 0
    /// Subscriptions that came back with a position: told all they missed, told that it cannot be told, or refused
    /// because the store was away.
    public var recovered = 0
    public var unrecoverable = 0
    public var unavailable = 0
    /// What was refused, by the limit that it would have passed.
    public var refused: [Limit: Int] = Dictionary(uniqueKeysWithValues: Limit.allCases.map { ($0, 0) })

    public enum Limit: String, Equatable, Sendable, CaseIterable {
        /// Connections in all, and connections of one address in a time.
        case connections
        case connectionRate = "connection_rate"
        /// Bytes that wait for all clients together.
        case queue
        case origin
    }

    public init() {}
}
