/// One HTTP request, complete and within the limits. Nothing of it has been trusted yet.
public struct HTTPRequest: Equatable, Sendable {
    public enum Method: String, Equatable, Sendable, CaseIterable {
        case get = "GET", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE", head = "HEAD", options = "OPTIONS"
    }

    public var method: Method
    /// Percent-decoded, begins with `/`, has no `.` or `..` segments and no control characters.
    public var path: String
    /// Percent-decoded pairs in the order they came.
    public var query: Query
    /// It was no query that can be read, and ``query`` is empty. Only for paths of ``EdgeConfiguration/forgivingPaths``.
    public var isQueryMalformed = false
    public var headers: Headers
    public var body: [UInt8]
    /// The address of the client's socket without port, `127.0.0.1` or `::1`.
    public var peer: String

    public init(method: Method, path: String, query: Query = .init(), headers: Headers = .init(), body: [UInt8] = [], peer: String = "") {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.peer = peer
    }

    /// The part of the target after `?`.
    public struct Query: Equatable, Sendable {
        public struct Item: Equatable, Sendable {
            public var name: String
            public var value: String
            public init(name: String, value: String) {
                self.name = name
                self.value = value
            }
        }

        public var items: [Item]
        public init(_ items: [Item] = []) { self.items = items }

        /// The first value of that name.
        public subscript(_ name: String) -> String? { items.first { $0.name == name }?.value }
        public func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }
    }

    /// The header fields that the gateway reads; all others are dropped at the door.
    public struct Headers: Equatable, Sendable {
        public var authorization: String?
        public var contentType: String?
        public var accept: String?
        public var idempotencyKey: String?
        public var requestID: String?
        public var lastEventID: String?
        public var origin: String?
        public var ifNoneMatch: String?
        public var host: String?

        public init() {}

        /// The token of `Authorization: Bearer …`.
        public var bearer: String? {
            guard let authorization, authorization.utf8.count > 7, authorization.prefix(7).lowercased() == "bearer " else { return nil }
            return String(authorization.dropFirst(7))
        }

        /// Whether the client asked for server-sent events.
        public var acceptsEventStream: Bool { accept?.lowercased().contains("text/event-stream") ?? false }
    }
}
