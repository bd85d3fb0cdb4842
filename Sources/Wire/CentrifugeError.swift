/// The protocol's refusals of a command; the connection goes on.
public struct CentrifugeError: Error, Equatable, Sendable {
    public var code: Int
    public var message: String

    public static let internalError = Self(code: 100, message: "internal server error")
    public static let unauthorized = Self(code: 101, message: "unauthorized")
    public static let unknownChannel = Self(code: 102, message: "unknown channel")
    public static let permissionDenied = Self(code: 103, message: "permission denied")
    public static let methodNotFound = Self(code: 104, message: "method not found")
    public static let alreadySubscribed = Self(code: 105, message: "already subscribed")
    public static let limitExceeded = Self(code: 106, message: "limit exceeded")
    public static let badRequest = Self(code: 107, message: "bad request")
    public static let notAvailable = Self(code: 108, message: "not available")
    public static let tokenExpired = Self(code: 109, message: "token expired")
    public static let tooManyRequests = Self(code: 111, message: "too many requests")
    public static let unrecoverablePosition = Self(code: 112, message: "unrecoverable position")

    /// What will pass: a client that asks again later may be served. Without this one that subscribes would give up.
    public var isTemporary: Bool { code == Self.internalError.code || code == Self.tooManyRequests.code }

    /// Which limit was reached, and when to ask again.
    public static func tooManyRequests(limit: String, retryAfterSeconds: Int64) -> Self {
        Self(code: tooManyRequests.code, message: "\(tooManyRequests.message): limit \(limit), retry after \(retryAfterSeconds) s")
    }

    public init(code: Int, message: String) {
        self.code = code
        self.message = message
    }
}
