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
        ("", 101), ("Origin: http://127.0.0.1\r\n", 101), ("Origin: https://127.0.0.1\r\n", 101), ("Origin: https://shop.example\r\n", 101),
        ("Origin: https://evil.example\r\n", 403), ("Origin: null\r\n", 403), ("Origin: http://127.0.0.1.evil.example\r\n", 403),
        ("Origin: https://shop.example.evil\r\n", 403), ("Origin: \r\n", 403),
    ])
    func origins(field: String, status: Int) async throws {
        let test = try await TestServer()
        #expect(RawClient(port: test.port).handshake(fields: field)?.status == status)
        await test.server.stop()
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
