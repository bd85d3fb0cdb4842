/// Why the server closes a WebSocket. The range is the client's retry policy: below 3500 it comes back by itself.
public struct Disconnect: Equatable, Sendable {
    public var code: UInt16
    public var reason: String

    public static let shutdown = Self(code: 3001, reason: "shutdown")
    public static let internalError = Self(code: 3004, reason: "internal server error")
    /// It may come back, with another token.
    public static let expired = Self(code: 3005, reason: "connection expired")
    public static let slow = Self(code: 3008, reason: "slow")
    public static let noPong = Self(code: 3012, reason: "no pong")
    public static let tooManyRequests = Self(code: 3013, reason: "too many requests")
    public static let invalidToken = Self(code: 3500, reason: "invalid token")
    public static let badRequest = Self(code: 3501, reason: "bad request")
    public static let stale = Self(code: 3502, reason: "stale")

    public init(code: UInt16, reason: String) {
        self.code = code
        self.reason = reason
    }
}
