/// How an ``EdgeServer`` listens and what it allows.
public struct EdgeConfiguration: Sendable {
    /// An address in numbers, IPv4 or IPv6.
    public var address: String
    /// Zero lets the system choose; ``EdgeServer/start()`` returns the port.
    public var port: UInt16
    /// The directory of the static pages; none are served without it. It is read once, at start.
    public var publicDirectory: String?
    /// Pages under another path than their file's.
    public var pages: [PageRoute]
    /// Origins of pages that may open a WebSocket, `https://shop.example`, the server's own among them; `*` for all.
    public var allowedOrigins: [String]
    /// Addresses in numbers that may connect as often as they like: of reverse proxies, behind which everybody is.
    public var unlimitedAddresses: Set<String>
    /// Beginnings of paths for which a query that cannot be read is the application's to answer.
    public var forgivingPaths: [String]
    /// Whether `/connection/websocket` is served.
    public var servesWebSocket: Bool
    public var limits: Limits
    /// Seconds between the protocol's pings, and until a client that does not answer one is closed.
    public var pingInterval: Int
    public var pongTimeout: Int

    public init(
        address: String, port: UInt16, publicDirectory: String? = nil, pages: [PageRoute] = [],
        allowedOrigins: [String] = [], unlimitedAddresses: Set<String> = [], forgivingPaths: [String] = [], servesWebSocket: Bool = true, limits: Limits = .init(),
        pingInterval: Int = 25, pongTimeout: Int = 10
    ) {
        self.address = address
        self.port = port
        self.publicDirectory = publicDirectory
        self.pages = pages
        self.allowedOrigins = allowedOrigins
        self.unlimitedAddresses = unlimitedAddresses
        self.forgivingPaths = forgivingPaths
        self.servesWebSocket = servesWebSocket
        self.limits = limits
        self.pingInterval = pingInterval
        self.pongTimeout = pongTimeout
    }

    /// Serves `file` for `path`, or for `path` and one more segment.
    public struct PageRoute: Equatable, Sendable {
        public var path: String
        public var file: String
        public var takesSegment: Bool

        /// `PageRoute("/checkout", file: "checkout.html", takesSegment: true)` serves `/checkout/{token}`.
        public init(_ path: String, file: String, takesSegment: Bool = false) {
            self.path = path
            self.file = file
            self.takesSegment = takesSegment
        }
    }

    public struct Limits: Sendable {
        /// Of a request's body; more is 413.
        public var bodyBytes = 64 * 1024
        /// Of request line and header fields together; more is 431.
        public var headBytes = 16 * 1024
        /// Of a WebSocket message in; more closes with 1009.
        public var messageBytes = 64 * 1024
        /// Unsent bytes of a client with an API key; more closes with 3008.
        public var outboxBytes = 1024 * 1024
        /// The same for anonymous clients and those with a watch token.
        public var watchOutboxBytes = 16 * 1024
        /// Unsent bytes of all clients together, without what channels share; who makes it more is closed with 3008.
        public var totalOutboxBytes = 256 * 1024 * 1024
        /// Seconds after which a client that takes nothing of what waits for it is closed with 3008.
        public var stallSeconds = 30
        /// New connections of one address in a second, ten times as many at once; zero is no limit.
        public var connectionsPerSecond = 0
        /// Commands of one WebSocket client in a second, ten times as many at once; those without an API key get a fifth.
        public var commandsPerSecond = 50
        /// HTTP connections and WebSocket clients together; the next are closed at once.
        public var connections = 100_000
        /// Seconds for a request to arrive, for an idle keep-alive connection and for an unread answer.
        public var requestSeconds = 10
        public var idleSeconds = 60
        public init() {}
    }
}
