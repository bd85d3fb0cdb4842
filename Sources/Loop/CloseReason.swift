/// Why a stream is no longer open, or never came to be.
public enum CloseReason: Error, Equatable, Sendable {
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
}
