/// How a call ended: the code and the server's words, as in gRPC's `grpc-status` and `grpc-message`.
public struct GRPCStatus: Error, Equatable, Sendable {
    /// Numbers of gRPC's `doc/statuscodes.md`.
    public enum Code: Int, Sendable {
        case ok = 0
        case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
        case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, internalError, unavailable
        case dataLoss, unauthenticated
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String = "") {
        self.code = code
        self.message = message
    }

    public static let ok = Self(.ok)
}
