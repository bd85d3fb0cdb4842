/// What the edge has counted since it started.
public struct EdgeCounters: Equatable, Sendable {
    /// WebSocket clients that came and went.
    public var opened = 0
    public var closed = 0
    /// Close frames sent, by code.
    public var closes: [UInt16: Int] = [:]
    /// Frames to single clients; a fan-out counts once.
    public var framesOut = 0
    public init() {}
}
