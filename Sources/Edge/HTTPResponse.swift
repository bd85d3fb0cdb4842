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
    /// Why a request was not read to its end.
    static func unread(_ status: Int, bodyLimit: Int) -> Self {
        let (code, title) = switch status {
        case 405: ("method_not_allowed", "Not with this method")
        case 408: ("timeout", "The request did not arrive in time")
        case 413: ("body_too_large", "The body is larger than \(bodyLimit) bytes")
        case 431: ("head_too_large", "The header fields are too large")
        case 501: ("not_implemented", "Unknown method or transfer coding")
        case 505: ("version_not_supported", "Only HTTP/1.1 is spoken here")
        default: ("bad_request", "The request cannot be read")
        }
        return problem(status, code: code, title: title)
    }
}
