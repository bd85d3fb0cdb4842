/// A whole answer. `Content-Length`, `Date`, `Connection` and `X-Content-Type-Options` are added on the way out.
public struct HTTPResponse: Equatable, Sendable {
    public struct Header: Equatable, Sendable {
        public var name: String
        public var value: String
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var status: Int
    public var headers: [Header]
    public var body: [UInt8]

    public init(status: Int, headers: [Header] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    public init(status: Int, contentType: String, headers: [Header] = [], body: [UInt8]) {
        self.init(status: status, headers: [Header("content-type", contentType)] + headers, body: body)
    }

    public static func json(_ body: [UInt8], status: Int = 200, headers: [Header] = []) -> Self {
        Self(status: status, contentType: "application/json", headers: headers, body: body)
    }

    public static func text(_ text: String, status: Int = 200, contentType: String = "text/plain; charset=utf-8") -> Self {
        Self(status: status, contentType: contentType, body: Array(text.utf8))
    }

    /// RFC 9457, for what the edge refuses by itself.
    static func problem(_ status: Int, code: String, title: String) -> Self {
        Self(
            status: status, contentType: "application/problem+json",
            body: Array(#"{"type":"about:blank","status":\#(status),"code":"\#(code)","title":"\#(title)"}"#.utf8))
    }
}
