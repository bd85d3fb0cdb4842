import Edge
import Loop
import Testing

@Suite(.serialized) struct WebSocketTests {
    @Test("a handshake is answered as RFC 6455 says")
    func handshake() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        let answer = try #require(client.handshake())
        #expect(answer.status == 101 && answer.field("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(await eventually { test.server.webSocketClients == 1 && test.server.httpConnections == 0 })
        await test.server.stop()
    }

    @Test("foreign and null origins are refused, the own one, an allowed one and none are not", arguments: [
        ("", 101), ("Origin: https://shop.example\r\n", 101),
        // The name under which the request came proves nothing.
        ("Origin: http://127.0.0.1\r\n", 403), ("Origin: https://127.0.0.1\r\n", 403), ("Origin: *\r\n", 403),
        ("Origin: https://evil.example\r\n", 403), ("Origin: null\r\n", 403), ("Origin: http://127.0.0.1.evil.example\r\n", 403),
        ("Origin: https://shop.example.evil\r\n", 403), ("Origin: \r\n", 403),
    ])
    func origins(field: String, status: Int) async throws {
        let test = try await TestServer()
        #expect(RawClient(port: test.port).handshake(fields: field)?.status == status)
        await test.server.stop()
    }

    @Test("where every origin is allowed, every page may come")
    func anyOrigin() async throws {
        let test = try await TestServer { $0.allowedOrigins = ["*"] }
        #expect(RawClient(port: test.port).handshake(fields: "Origin: https://evil.example\r\n")?.status == 101)
        await test.server.stop()
    }

    @Test("a length beyond the limit is refused at once, also in the first frame and before a byte of it has come", arguments: [70_000, 1 << 40, 1 << 62])
    func announced(length: Int) async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        _ = client.handshake()
        client.send([0x81, 0xFF] + stride(from: 56, through: 0, by: -8).map { UInt8(length >> $0 & 0xFF) } + [1, 2, 3, 4])
        #expect(client.closeCode() == 1009)
        #expect(await test.server.status.counters.closes[1009] == 1)
        await test.server.stop()
    }

    @Test("a frame without a mask is refused with 1002, also behind frames that have one", arguments: [0, 3])
    func unmasked(before: Int) async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        _ = client.handshake()
        client.sendText(#"{"id":1,"connect":{}}"#)
        #expect(client.text()?.contains(#""connect""#) == true)
        for _ in 0..<before { client.sendText("{}") }
        let text = Array(#"{"id":2,"ping":{}}"#.utf8)
        client.send([0x81, UInt8(text.count)] + text)
        #expect(client.closeCode() == 1002)
        await test.server.stop()
    }

    @Test("masked frames of all lengths, in fragments, many at once, with pings between them, after other requests and before the answer to the handshake are taken", arguments: 0..<4)
    func masked(seed: Int) async throws {
        let test = try await TestServer { $0.limits.commandsPerSecond = 1000 }
        var random = Seeded(seed: UInt64(seed))
        let client = RawClient(port: test.port)
        #expect(client.request("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")?.status == 200)
        #expect(client.handshake()?.status == 101)
        client.sendText(#"{"id":1,"connect":{"token":"key"}}"#)
        _ = client.text()
        for round in 2..<120 {
            // Blanks between the values of JSON are free.
            let text = Array(#"{"id":\#(round),"ping":{}}"#.utf8) + [UInt8](repeating: 0x20, count: [0, 90, 101, 200, 5000, 65000].randomElement(using: &random)!)
            if Bool.random(using: &random) { client.sendFrame(9, [1, 2, 3]) }
            if Bool.random(using: &random) {
                let cut = Int.random(in: 0..<text.count, using: &random)
                client.sendFrame(1, Array(text[..<cut]), isFinal: false)
                client.sendFrame(0, Array(text[cut...]))
            } else {
                client.sendFrame(1, text)
            }
            var reply = client.frame()
            while reply?.opcode == 10 { reply = client.frame() }
            #expect(reply.map { String(decoding: $0.payload, as: UTF8.self) } == #"{"id":\#(round),"ping":{}}"#)
        }
        // Many in one write.
        client.send((0..<50).flatMap { _ in [0x81, 0x82, 0, 0, 0, 0, 0x7B, 0x7D] })
        client.sendText(#"{"id":900,"ping":{}}"#)
        #expect(client.text() == #"{"id":900,"ping":{}}"#)
        await test.server.stop()
    }

    @Test("connections of one address are limited, those of a proxy are not")
    func connectionRate() async throws {
        let limited = try await TestServer { $0.limits.connectionsPerSecond = 1 }
        let clients = (0..<20).map { _ in RawClient(port: limited.port) }
        let answered = clients.count { $0.request("GET /x HTTP/1.1\r\nHost: a\r\n\r\n") != nil }
        #expect((10..<20).contains(answered))
        #expect(await limited.server.counters.refused[.connectionRate] == 20 - answered)
        await limited.server.stop()
        let open = try await TestServer {
            $0.limits.connectionsPerSecond = 1
            $0.unlimitedAddresses = ["127.0.0.1"]
        }
        #expect((0..<40).allSatisfy { _ in RawClient(port: open.port).request("GET /x HTTP/1.1\r\nHost: a\r\n\r\n") != nil })
        await open.server.stop()
    }

    @Test("other paths are not WebSocket and this path is nothing else")
    func paths() async throws {
        let test = try await TestServer()
        #expect(RawClient(port: test.port).handshake(path: "/other")?.status == 404)
        #expect(RawClient(port: test.port).request("GET /connection/websocket HTTP/1.1\r\nHost: a\r\n\r\n")?.status == 426)
        let closed = try await TestServer { $0.servesWebSocket = false }
        #expect(RawClient(port: closed.port).handshake()?.status == 404)
        await test.server.stop()
        await closed.server.stop()
    }

    @Test("the subprotocol of the JSON form is agreed to, another is not")
    func subprotocol() async throws {
        let test = try await TestServer()
        let json = RawClient(port: test.port).handshake(fields: "Sec-WebSocket-Protocol: x, centrifuge-json\r\n")
        #expect(json?.field("sec-websocket-protocol") == "centrifuge-json")
        let other = RawClient(port: test.port).handshake(fields: "Sec-WebSocket-Protocol: centrifuge-protobuf\r\n")
        #expect(other?.status == 101 && other?.field("sec-websocket-protocol") == nil)
        await test.server.stop()
    }

    @Test("a ping is answered with its payload, a close with its code")
    func control() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        _ = client.handshake()
        client.sendFrame(9, [1, 2, 3])
        let pong = try #require(client.frame())
        #expect(pong.opcode == 10 && pong.payload == [1, 2, 3])
        client.sendFrame(8, [3, 0xE8])
        #expect(client.closeCode() == 1000 && client.isAtEnd())
        #expect(await eventually { test.server.webSocketClients == 0 })
        await test.server.stop()
    }

    @Test("binary, oversize and text that is not UTF-8 are closed with their codes")
    func badMessages() async throws {
        let test = try await TestServer()
        for (opcode, payload, code) in [(2, [1], 1003), (1, [UInt8](repeating: 0x61, count: 65537), 1009), (1, [0xFF, 0xFE], 1007)] as [(UInt8, [UInt8], Int)] {
            let client = RawClient(port: test.port)
            _ = client.handshake()
            client.sendFrame(opcode, payload)
            #expect(client.closeCode() == code)
            client.sendFrame(8, [UInt8(code >> 8), UInt8(code & 0xFF)])
            #expect(client.ends())
        }
        await test.server.stop()
    }

    @Test("a character that the end of its message cuts off is refused, one that goes on in the next fragment is not")
    func cutCharacters() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        _ = client.handshake()
        client.sendFrame(1, [0xF0, 0x90, 0x8D], isFinal: false)
        client.sendFrame(0, [0x88])
        #expect(client.closeCode() == 3501)
        for last in [[0x41], []] as [[UInt8]] {
            let client = RawClient(port: test.port)
            _ = client.handshake()
            client.sendFrame(1, [0x41, 0xF0, 0x90, 0x8D], isFinal: false)
            client.sendFrame(0, last)
            #expect(client.closeCode() == 1007)
        }
        await test.server.stop()
    }

    @Test("a close is answered with its code, one that says nothing sensible with what is wrong with it", arguments: [
        ([], 1000), ([0x03, 0xE9], 1001), ([0x0F, 0xA0, 0x41], 4000), ([0x03], 1002), ([0x03, 0xED], 1002), ([0x13, 0x88], 1002),
        ([0x03, 0xE8, 0xFF], 1007), ([0x03, 0xE8, 0xF0, 0x90], 1007),
    ] as [([UInt8], Int)])
    func closeAnswers(payload: [UInt8], code: Int) async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        _ = client.handshake()
        client.sendFrame(8, payload)
        #expect(client.closeCode() == code && client.isAtEnd())
        await test.server.stop()
    }

    @Test("a fragment that announces the largest length there is is closed with 1009, and the server goes on")
    func endlessFragment() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        _ = client.handshake()
        client.sendFrame(1, [0x61], isFinal: false)
        client.send([0x80, 0xFF, 0x7F] + [UInt8](repeating: 0xFF, count: 7) + [0, 0, 0, 0] + [UInt8](repeating: 0x61, count: 200))
        #expect(client.closeCode() == 1009)
        let other = RawClient(port: test.port)
        #expect(other.handshake()?.status == 101)
        await test.server.stop()
    }

    @Test("a message in fragments cannot grow past the limit")
    func fragments() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        _ = client.handshake()
        client.sendFrame(1, [UInt8](repeating: 0x20, count: 1000), isFinal: false)
        for _ in 0..<80 { client.sendFrame(0, [UInt8](repeating: 0x20, count: 1000), isFinal: false) }
        #expect(client.closeCode() == 1009)
        await test.server.stop()
    }

    @Test("one that does not answer the goodbye is cut off")
    func cutOff() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        _ = client.handshake()
        client.sendFrame(2, [1])
        #expect(client.closeCode() == 1003)
        for _ in 0..<800 where await test.server.webSocketClients > 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(await test.server.webSocketClients == 0)
        await test.server.stop()
    }

    @Test("random frames never stop the server", arguments: 0..<3)
    func fuzz(seed: Int) async throws {
        let test = try await TestServer()
        var random = Seeded(seed: UInt64(seed))
        for _ in 0..<40 {
            let client = RawClient(port: test.port)
            _ = client.handshake()
            for _ in 0..<5 {
                if Bool.random(using: &random) {
                    client.send((0..<Int.random(in: 1..<60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
                } else {
                    client.sendFrame(UInt8.random(in: 0..<16, using: &random), (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }, isFinal: Bool.random(using: &random))
                }
            }
        }
        #expect(RawClient(port: test.port).handshake()?.status == 101)
        await test.server.stop()
    }
}
