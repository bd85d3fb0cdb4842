/// How one call ended.
public enum OutboundAnswer: Equatable, Sendable {
    /// A whole head has come, whatever its status; `body` is at most as long as was asked for.
    case answered(status: Int, retryAfter: String?, body: [UInt8])
    case failed(OutboundFailure)
}

/// Why nobody answered.
public enum OutboundFailure: Equatable, Sendable {
    /// One of the name's addresses must not be called.
    case forbiddenAddress(IPAddress)
    case unresolved
    case unreachable
    case timedOut
    /// The TLS library's own words, or those of the one above it.
    case tls(String)
    /// It was no HTTP, or broke off.
    case broken(String)
    /// This process ends.
    case stopped

    /// For a person who runs the server that was called.
    public var reason: String {
        switch self {
        case .forbiddenAddress: "the name leads to an address that is not public"
        case .unresolved: "the name does not resolve"
        case .unreachable: "no connection"
        case .timedOut: "no answer in time"
        case .tls(let detail): "TLS: \(detail)"
        case .broken(let detail): "no valid answer: \(detail)"
        case .stopped: "the gateway ended meanwhile"
        }
    }
}
