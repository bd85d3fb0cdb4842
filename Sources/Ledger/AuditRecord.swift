public import Payments

/// Something that a key has done, or tried to do. No secret stands in it.
public struct AuditRecord: Equatable, Sendable {
    /// Thirty-two hexadecimal digits that begin with the time.
    public var id: String
    public var time: UnixTime
    public var account: Int64
    public var keyID: String
    /// By which way it came in: `http`, `websocket`, `grpc`.
    public var transport: String
    /// What was done, and to what: of HTTP the method and the path, of rpc its method.
    public var method: String
    public var path: String
    /// What was made or meant, where the path does not say it.
    public var target: String?
    /// What was answered, as HTTP says it.
    public var status: Int
    public var requestID: String?

    public init(
        id: String, time: UnixTime, account: Int64, keyID: String, transport: String, method: String, path: String, target: String?,
        status: Int, requestID: String?
    ) {
        self.id = id
        self.time = time
        self.account = account
        self.keyID = keyID
        self.transport = transport
        self.method = method
        self.path = path
        self.target = target
        self.status = status
        self.requestID = requestID
    }
}
