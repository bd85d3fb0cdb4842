import Testing

@testable import Edge

@Suite struct HTTPParserTests {
    private func parse(_ text: String, head: Int = 4096, body: Int = 1024) -> HTTPParser.Outcome {
        var parser = HTTPParser(headLimit: head, bodyLimit: body)
        let bytes = Array(text.utf8)
        return parser.parse(bytes.span)
    }

    private func read(_ text: String) -> HTTPRequest? {
        guard case .request(let request, _, let consumed) = parse(text), consumed == text.utf8.count else { return nil }
        return request
    }

    @Test("reads line, query, fields and body")
    func reads() throws {
        let text = "POST /v1/invoices/a%20b?state=open&tag=a+b%2Bc&flag&x=1=2 HTTP/1.1\r\nhost: shop\r\nAuthorization:  Bearer abc \r\n"
            + "Content-Type: application/json\r\nIDEMPOTENCY-KEY: k1\r\nX-Request-ID: r1\r\nLast-Event-ID: 9\r\nAccept: text/event-stream\r\n"
            + "Origin: http://shop\r\nIf-None-Match: \"e\"\r\nContent-Length: 4\r\n\r\nbody"
        let request = try #require(read(text))
        #expect(request.method == .post && request.path == "/v1/invoices/a b" && request.body == Array("body".utf8))
        #expect(request.query["state"] == "open" && request.query["tag"] == "a b+c" && request.query["flag"] == "" && request.query["x"] == "1=2")
        #expect(request.headers.bearer == "abc" && request.headers.host == "shop" && request.headers.idempotencyKey == "k1")
        #expect(request.headers.requestID == "r1" && request.headers.lastEventID == "9" && request.headers.acceptsEventStream)
        #expect(request.headers.origin == "http://shop" && request.headers.ifNoneMatch == "\"e\"" && request.headers.contentType == "application/json")
    }

    @Test("puts a chunked body together and drops extensions and trailers")
    func chunks() throws {
        let text = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
        #expect(try #require(read(text)).body == Array("abc0123456789".utf8))
    }

    @Test("what two readers could read differently is refused", arguments: [
        "GET / HTTP/1.1\nHost: a\n\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\u{0}\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / FTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", ": x\r\n\r\n\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nab\r\n",
    ])
    func refuses(text: String) {
        #expect(parse(text) == .refused(400))
    }

    @Test("paths that hide another path are refused", arguments: [
        "/../etc/passwd", "/a/../b", "/%2e%2e/x", "/.%2E/x", "/./x", "/a%2fb", "/a%5cb", "/a\\b", "//x", "/a//b", "/a%00b", "/a%", "/a%1", "/%ff", "x", "",
    ])
    func traversal(path: String) {
        #expect(parse("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n") == .refused(400))
    }

    @Test("limits have their own status")
    func limits() {
        let host = "HTTP/1.1\r\nHost: a\r\n"
        for method in ["TRACE", "CONNECT", "QUERY"] { #expect(parse("\(method) / " + host + "\r\n") == .refused(405)) }
        #expect(parse("GET / " + host + "X: " + String(repeating: "y", count: 5000)) == .refused(431))
        #expect(parse("GET / " + host + "X: " + String(repeating: "y", count: 5000) + "\r\n\r\n") == .refused(431))
        #expect(parse("POST / " + host + "Content-Length: 1025\r\n\r\n") == .refused(413))
        #expect(parse("POST / " + host + "Content-Length: 999999999999999\r\n\r\n") == .refused(413))
        #expect(parse("POST / " + host + "Content-Length: 9999999999999999999999\r\n\r\n") == .refused(400))
        #expect(parse("POST / " + host + "Transfer-Encoding: chunked\r\n\r\n401\r\n") == .refused(413))
        #expect(parse("POST / " + host + "Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n") == .refused(400))
        #expect(parse("POST / " + host + "Transfer-Encoding: gzip\r\n\r\n") == .refused(501))
        #expect(parse("BREW / " + host + "\r\n") == .refused(501))
        #expect(parse("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == .refused(505))
    }

    @Test("a request that comes byte by byte is the same request")
    func dribble() {
        let text = Array("POST /x?a=b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8)
        var parser = HTTPParser(headLimit: 4096, bodyLimit: 1024)
        for count in 1..<text.count {
            let part = Array(text[..<count])
            #expect(parser.parse(part.span) == .incomplete)
        }
        guard case .request(let request, let traits, text.count) = parser.parse(text.span) else { return #expect(Bool(false)) }
        #expect(request.body == Array("abc".utf8) && traits.keepsAlive)
    }

    @Test("random and damaged bytes are answered, refused or waited for", arguments: 0..<8)
    func fuzz(seed: Int) {
        var random = Seeded(seed: UInt64(seed))
        let whole = Array(
            ("POST /v1/x%20y?a=b&c=%41 HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
                + "5;e=1\r\nhello\r\n0\r\nT: x\r\n\r\n").utf8)
        for _ in 0..<2000 {
            var bytes = Bool.random(using: &random) ? whole : (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            for _ in 0..<Int.random(in: 0..<6, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert([13, 10, 32, 58, 37, 59].randomElement(using: &random)!, at: index)
                }
            }
            var parser = HTTPParser(headLimit: 150, bodyLimit: 20)
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let first = Array(bytes[..<cut])
            if case .request(_, _, let consumed) = parser.parse(first.span) {
                #expect(consumed <= first.count)
            } else if case .request(let request, _, let consumed) = parser.parse(bytes.span) {
                #expect(consumed <= bytes.count && request.body.count <= 20 && request.path.hasPrefix("/"))
            }
        }
    }
}

/// SplitMix64: the same numbers on every run.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
