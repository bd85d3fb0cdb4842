public import Loop

/// Why a gRPC connection is over, or never came to be.
public enum ClosedReason: Error, Equatable, Sendable {
    /// `close()` was called on this side.
    case closedHere
    case refused
    /// No route, or the name does not resolve.
    case unreachable
    case timedOut
    /// The peer's certificate is not the pinned one.
    case certificateMismatch
    /// The TLS library's own words.
    case tlsFailed(detail: String)
    case reset
    /// The proxy's refusal, or why it is no proxy.
    case proxyFailed(detail: String)
    case closedByPeer
    /// The peer wants no more calls: HTTP/2's error code and the peer's words, such as `too_many_pings`.
    case goAway(code: UInt32, detail: String)
    /// The peer broke HTTP/2's rules.
    case protocolError
    /// A ping was not answered in time.
    case keepaliveTimedOut

    public init(_ reason: CloseReason) {
        self =
            switch reason {
            case .closedHere: .closedHere
            case .refused: .refused
            case .unreachable: .unreachable
            case .timedOut: .timedOut
            case .certificateMismatch: .certificateMismatch
            case .tlsFailed(let detail): .tlsFailed(detail: detail)
            case .reset: .reset
            case .proxyFailed(let detail): .proxyFailed(detail: detail)
            case .closedByPeer: .closedByPeer
            }
    }
}
