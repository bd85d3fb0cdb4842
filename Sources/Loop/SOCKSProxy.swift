/// A SOCKS5 proxy.
public struct SOCKSProxy: Equatable, Sendable {
    public struct Credentials: Equatable, Sendable {
        public let name: String
        public let password: String

        /// `nil` unless both have 1 to 255 bytes, which is what the protocol can say.
        public init?(name: String, password: String) {
            guard (1...255).contains(name.utf8.count), (1...255).contains(password.utf8.count) else { return nil }
            self.name = name
            self.password = password
        }
    }

    public var host: String
    public var port: Int
    public var credentials: Credentials?

    public init(host: String, port: Int, credentials: Credentials? = nil) {
        self.host = host
        self.port = port
        self.credentials = credentials
    }
}
