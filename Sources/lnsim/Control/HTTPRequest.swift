/// One request to the control address.
struct HTTPRequest: Equatable, Sendable {
    var method: String
    var path: String
    var body: [UInt8]
    /// The client wants to send more over the same connection.
    var keepsAlive: Bool
}
