public import Delivery

/// One POST.
public struct OutboundRequest: Sendable {
    public var url: TargetURL
    public var fields: [(name: String, value: String)]
    public var body: [UInt8]
    /// From the look-up of the name to the last byte of the answer.
    public var timeoutMilliseconds: Int64
    /// On whose behalf; zero is nobody's in particular.
    public var account: Int64

    /// The fields' names and values must not contain line ends.
    public init(url: TargetURL, fields: [(name: String, value: String)], body: [UInt8], timeoutMilliseconds: Int64 = 15_000, account: Int64 = 0) {
        self.url = url
        self.fields = fields
        self.body = body
        self.timeoutMilliseconds = timeoutMilliseconds
        self.account = account
    }
}
