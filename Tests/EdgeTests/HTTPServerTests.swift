import Edge
import Loop
import Payments
import Testing

@Suite(.serialized) struct HTTPServerTests {
    private let get = { (path: String, fields: String) in "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }

    @Test("answers a request and keeps the connection")
    func keepAlive() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        for index in 0..<3 {
            let body = "body \(index)"
            let answer = try #require(client.request("POST /echo HTTP/1.1\r\nHost: a\r\nX-Request-Id: r\(index)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"))
            #expect(answer.status == 200 && answer.body == body && answer.field("x-request-id") == "r\(index)")
            #expect(answer.field("x-content-type-options") == "nosniff" && answer.field("date")?.hasSuffix(" GMT") == true)
        }
        let last = client.request(get("/echo", "Connection: close\r\n"))
        #expect(last?.field("connection") == "close" && client.isAtEnd())
        await test.server.stop()
    }

    @Test("answers pipelined requests in their order, also when the first answer is late")
    func pipelining() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        client.send((0..<20).map { get($0 % 3 == 0 ? "/later?n=\($0)" : "/none/\($0)", "") }.joined())
        for index in 0..<20 {
            let answer = try #require(client.answer())
            #expect(answer.body == (index % 3 == 0 ? "later \(index)" : "none"))
        }
        await test.server.stop()
    }

    @Test("a request that nobody answers is answered 500")
    func dropped() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        #expect(client.request(get("/dropped", ""))?.status == 500)
        #expect(client.request(get("/echo", ""))?.status == 200)
        await test.server.stop()
    }

    @Test("an answer cannot begin another field")
    func splitting() async throws {
        let test = try await TestServer()
        let answer = try #require(RawClient(port: test.port).request(get("/split", "")))
        #expect(answer.field("x-a") == "1x-b: 2" && answer.field("x-b") == nil)
        await test.server.stop()
    }

    @Test("an oversize body is 413 and the connection ends, a small one after 100 Continue is read")
    func bodies() async throws {
        let test = try await TestServer()
        let large = RawClient(port: test.port)
        large.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n" + String(repeating: "x", count: 65537))
        #expect(large.answer()?.status == 413 && large.isAtEnd())
        let exact = RawClient(port: test.port)
        #expect(exact.request("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n" + String(repeating: "x", count: 65536))?.body.utf8.count == 65536)
        let patient = RawClient(port: test.port)
        patient.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        #expect(patient.answer(hasBody: false)?.status == 100)
        #expect(patient.request("ok")?.body == "ok")
        await test.server.stop()
    }

    @Test("HEAD has the length and no body, 204 has neither, HTTP/1.0 closes")
    func bodiless() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        client.send("HEAD /big?n=10 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.answer(hasBody: false)?.field("content-length") == "10")
        #expect(client.request(get("/none", ""))?.field("content-length") == nil)
        let old = RawClient(port: test.port)
        #expect(old.request("GET /echo HTTP/1.0\r\n\r\n")?.head.hasPrefix("HTTP/1.0 200") == true)
        #expect(old.isAtEnd())
        await test.server.stop()
    }

    @Test("what cannot be read is answered and ends the connection", arguments: [
        ("GET / HTTP/1.1\nHost: a\n\r\n\r\n", 400), ("\u{16}\u{3}\u{1}\r\n\r\n", 400), ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("GET /../x HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /echo?a=%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ])
    func hostile(text: String, status: Int) async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        #expect(client.request(text)?.status == status && client.isAtEnd())
        #expect(await eventually { test.server.httpConnections <= 1 })
        await test.server.stop()
    }

    @Test("where the application wants it, a query that cannot be read is the application's to answer")
    func forgivingPath() async throws {
        let test = try await TestServer { $0.forgivingPaths = ["/echo"] }
        let client = RawClient(port: test.port)
        #expect(client.request(get("/echo?a=%zz", ""))?.status == 200)
        #expect(client.request(get("/none?a=%zz", ""))?.status == 400 && client.isAtEnd())
        await test.server.stop()
    }

    @Test("a large answer to a client that reads late arrives whole, and the pipelined one after it")
    func largeAnswer() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port, receiveBuffer: 4096)
        client.send(get("/big?n=3000000", "") + get("/echo", ""))
        try await Task.sleep(for: .milliseconds(100))
        #expect(client.answer()?.body.utf8.count == 3_000_000)
        #expect(client.answer()?.status == 200)
        await test.server.stop()
    }

    @Test("a client may end its side and still get its answer")
    func halfClose() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        client.send(get("/later?n=1", ""))
        client.finishSending()
        #expect(client.answer()?.body == "later 1" && client.isAtEnd())
        await test.server.stop()
    }

    @Test("a request that does not arrive in time is 408, an idle connection ends silently")
    func timeouts() async throws {
        let test = try await TestServer {
            $0.limits.requestSeconds = 1
            $0.limits.idleSeconds = 1
        }
        let slow = RawClient(port: test.port)
        slow.send("GET / HTTP/1.1\r\nHo")
        let idle = RawClient(port: test.port)
        #expect(idle.request(get("/echo", ""))?.status == 200)
        #expect(slow.answer()?.status == 408 && slow.isAtEnd())
        #expect(idle.isAtEnd())
        await test.server.stop()
    }

    @Test("random bytes never stop the server", arguments: 0..<3)
    func fuzz(seed: Int) async throws {
        let test = try await TestServer()
        var random = Seeded(seed: UInt64(seed))
        for _ in 0..<60 {
            let client = RawClient(port: test.port)
            var bytes = Array(get("/later", "Content-Length: 3\r\n").utf8) + [1, 2, 3] + (0..<40).map { _ in UInt8.random(in: 0...255, using: &random) }
            for _ in 0..<5 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            client.send(bytes)
        }
        #expect(RawClient(port: test.port).request(get("/echo", ""))?.status == 200)
        await test.server.stop()
    }
}
