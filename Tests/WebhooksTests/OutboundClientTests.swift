import Delivery
import Loop
import Testing
import Webhooks

@Suite("Requests to addresses that others have given us")
@LoopActor
struct OutboundClientTests {
    static let open = OutboundRules(allowsPrivate: true, allowsHTTP: true)
    static let good = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

    /// What one request to a receiver ends with.
    private func ask(
        _ path: String = "/", host: String = "127.0.0.1", scheme: String = "http", rules: OutboundRules = open, timeout: Int64 = 5000, _ reply: @escaping @LoopActor (String) -> Receiver.Reply
    ) async throws -> (answer: OutboundAnswer, requests: [String]) {
        let receiver = try Receiver(reply)
        let client = OutboundClient(rules: rules, userAgent: "tests")
        let url = try TargetURL("\(scheme)://\(host):\(receiver.port)\(path)")
        let request = OutboundRequest(url: url, fields: [("webhook-id", "evt_1"), ("content-type", "application/json")], body: Array("{}".utf8), timeoutMilliseconds: timeout)
        let answer = await client.send(request)
        client.close()
        receiver.stop()
        return (answer, receiver.requests)
    }

    @Test("the body and its fields arrive as they are, with the answer's status and text")
    func whole() async throws {
        let (answer, requests) = try await ask("/hook?a=1") { _ in .bytes(Self.good) }
        #expect(answer == .answered(status: 200, retryAfter: nil, body: Array("ok".utf8)))
        let request = try #require(requests.first)
        #expect(request.hasPrefix("POST /hook?a=1 HTTP/1.1\r\n"))
        #expect(request.contains("\r\nwebhook-id: evt_1\r\n") && request.contains("\r\nUser-Agent: tests\r\n"))
        #expect(request.hasSuffix("\r\n\r\n{}"))
        #expect(!request.contains("Expect:"))
    }

    @Test("28: Retry-After comes with the answer")
    func retryAfter() async throws {
        let (answer, _) = try await ask { _ in .bytes("HTTP/1.1 429 Slow down\r\nRetry-After:  17\r\ncontent-length: 0\r\n\r\n") }
        #expect(answer == .answered(status: 429, retryAfter: "17", body: []))
    }

    @Test("28: a redirect is an answer, and is not followed")
    func redirect() async throws {
        let (answer, requests) = try await ask { _ in .bytes("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n") }
        #expect(answer == .answered(status: 302, retryAfter: nil, body: []))
        #expect(requests.count == 1)
    }

    @Test("28: of ten megabytes only the beginning is read")
    func endless() async throws {
        let (answer, _) = try await ask { _ in .endless }
        guard case .answered(200, nil, let body) = answer else { Issue.record("\(answer)"); return }
        #expect(body.count == 16384)
    }

    @Test("28: a receiver that hangs is given up in time")
    func hangs() async throws {
        #expect(try await ask(timeout: 300) { _ in .nothing }.answer == .failed(.timedOut))
    }

    @Test("28: what is no HTTP, breaks off, or is not there, is told apart")
    func broken() async throws {
        let closed = try await ask { _ in .close }
        guard case .failed(.broken) = closed.answer else { Issue.record("\(closed)"); return }
        let other = try await ask { _ in .bytes("SSH-2.0-x\r\n\r\n") }
        guard case .failed(.broken) = other.answer else { Issue.record("\(other)"); return }
        let client = OutboundClient(rules: Self.open, userAgent: "tests")
        let request = OutboundRequest(url: try TargetURL("http://127.0.0.1:1/"), fields: [], body: [])
        #expect(await client.send(request) == .failed(.unreachable))
        client.close()
    }

    @Test("28: TLS that cannot be verified is refused")
    func tls() async throws {
        let receiver = try Receiver(greeting: "This is no TLS.\n") { _ in .nothing }
        let client = OutboundClient(rules: Self.open, userAgent: "tests")
        let answer = await client.send(OutboundRequest(url: try TargetURL("https://127.0.0.1:\(receiver.port)/"), fields: [], body: []))
        guard case .failed(.tls) = answer else { Issue.record("\(answer)"); return }
        client.close()
        receiver.stop()
    }

    @Test("18: a name is judged by what it resolves to, and nothing is sent")
    func names() async throws {
        let strict = OutboundRules(allowsHTTP: true)
        let (answer, requests) = try await ask(host: "localhost", rules: strict) { _ in .bytes(Self.good) }
        guard case .failed(.forbiddenAddress) = answer else { Issue.record("\(answer)"); return }
        #expect(requests.isEmpty)
        #expect(try await ask(host: "127.0.0.1", rules: strict) { _ in .bytes(Self.good) }.requests.isEmpty)
        #expect(try await ask(host: "[::ffff:127.0.0.1]", rules: strict) { _ in .bytes(Self.good) }.requests.isEmpty)
    }

    @Test("18: a name with an address that is allowed is called under its name")
    func allowedName() async throws {
        let rules = OutboundRules(allowsHTTP: true, allowed: [AddressRange("127.0.0.0/8"), AddressRange("::1")].compactMap { $0 })
        let (answer, requests) = try await ask(host: "localhost", rules: rules) { _ in .bytes(Self.good) }
        #expect(answer == .answered(status: 200, retryAfter: nil, body: Array("ok".utf8)))
        #expect(requests.first?.contains("\r\nHost: localhost:") == true)
    }

    @Test("18: a name that does not resolve is told as that")
    func unresolved() async throws {
        let (answer, _) = try await ask(host: "nowhere.invalid") { _ in .bytes(Self.good) }
        #expect(answer == .failed(.unresolved) || answer == .failed(.timedOut))
    }

    @Test("connections are used again, and many requests are under way at once")
    func reuse() async throws {
        let receiver = try Receiver { _ in .bytes(Self.good) }
        let client = OutboundClient(rules: Self.open, userAgent: "tests")
        let request = OutboundRequest(url: try TargetURL("http://127.0.0.1:\(receiver.port)/"), fields: [], body: Array("{}".utf8))
        for _ in 0..<50 { _ = await client.send(request) }
        #expect(receiver.connections == 1)
        var good = 0
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            for number in 0..<100 {
                client.send(request) { answer in
                    if case .answered(200, _, _) = answer { good += 1 }
                    if number == 99 || good == 100 { if good == 100 { done.resume() } }
                }
            }
        }
        #expect(good == 100)
        client.close()
        receiver.stop()
    }

    @Test("what is under way when the client is closed is answered")
    func closes() async throws {
        let receiver = try Receiver { _ in .nothing }
        let client = OutboundClient(rules: Self.open, userAgent: "tests")
        let request = OutboundRequest(url: try TargetURL("http://127.0.0.1:\(receiver.port)/"), fields: [], body: Array("{}".utf8))
        async let answer = client.send(request)
        while receiver.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        client.close()
        #expect(await answer == .failed(.stopped))
        #expect(await client.send(request) == .failed(.stopped))
        receiver.stop()
    }
}

extension OutboundClient {
    func send(_ request: OutboundRequest) async -> OutboundAnswer {
        await withCheckedContinuation { done in send(request) { done.resume(returning: $0) } }
    }
}
