/// Why an edge cannot start.
public enum EdgeError: Error, Equatable, Sendable {
    /// The text is not an IPv4 or IPv6 address in numbers.
    case badAddress(String)
    /// Another program listens there, or the port is not allowed: `errno` of bind(2) or listen(2).
    case cannotListen(address: String, port: UInt16, errno: Int32)
    /// libwebsockets gave no context, most often because its libuv plugin is missing.
    case cannotCreateContext(remedy: String)
    case cannotReadPages(directory: String)
}
