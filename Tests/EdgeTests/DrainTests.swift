import Edge
import Loop
import Testing

@Suite(.serialized) struct DrainTests {
    private func drain(_ test: TestServer, milliseconds: UInt64) async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            Task { @LoopActor in test.server.drain(milliseconds: milliseconds) { done.resume() } }
        }
    }

    private func connect(_ test: TestServer) -> RawClient {
        let client = RawClient(port: test.port)
        _ = client.handshake()
        client.sendText(#"{"id":1,"connect":{"token":"key"}}"#)
        _ = client.text()
        return client
    }

    @Test("a request under way is answered and its connection ends, an idle one ends at once, nobody new comes in")
    func requests() async throws {
        let test = try await TestServer()
        let waiting = RawClient(port: test.port), idle = RawClient(port: test.port)
        #expect(idle.request("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")?.status == 200)
        waiting.send("GET /kept HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await eventually { test.application.kept.count == 1 })
        async let drained: Void = drain(test, milliseconds: 20_000)
        #expect(idle.isAtEnd())
        #expect(RawClient(port: test.port).request("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n") == nil)
        await { @LoopActor in test.application.kept[0].respond(.text("at last")) }()
        let answer = waiting.answer()
        #expect(answer?.body == "at last" && answer?.field("connection") == "close" && waiting.isAtEnd())
        await drained
    }

    @Test("WebSocket clients are closed with 3001, and the drain is over when they have gone")
    func webSockets() async throws {
        let test = try await TestServer()
        let clients = (0..<3).map { _ in connect(test) }
        async let drained: Void = drain(test, milliseconds: 20_000)
        for client in clients {
            #expect(client.closeCode() == 3001)
            client.sendFrame(8, [0x0B, 0xB9])
        }
        await drained
        #expect(await test.server.status.webSocketClients == 0)
    }

    @Test("many go one after the other")
    func spread() async throws {
        let test = try await TestServer()
        let clients = (0..<120).map { _ in connect(test) }
        async let drained: Void = drain(test, milliseconds: 20_000)
        #expect(await eventually { (test.server.status.counters.closes[3001] ?? 0) >= 20 })
        #expect(await test.server.status.counters.closes[3001] ?? 0 <= 60)
        for client in clients {
            #expect(client.closeCode() == 3001)
            client.sendFrame(8, [0x0B, 0xB9])
        }
        await drained
    }

    @Test("who does not go is left behind when the time is over")
    func stubborn() async throws {
        let test = try await TestServer()
        let client = connect(test), request = RawClient(port: test.port)
        request.send("GET /kept HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await eventually { test.application.kept.count == 1 })
        await drain(test, milliseconds: 300)
        #expect(client.closeCode() == 3001 && request.isAtEnd())
        #expect(await test.server.httpConnections == 0)
    }

    @Test("a client that has vanished without a word is found by its missing pong, and forgotten")
    func halfOpen() async throws {
        let test = try await TestServer {
            $0.pingInterval = 1
            $0.pongTimeout = 1
        }
        let client = connect(test)
        #expect(client.text() == "{}")
        // It neither answers nor ends.
        for _ in 0..<3000 where await test.server.webSocketClients > 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(await test.server.webSocketClients == 0)
        #expect(await test.server.status.counters.closes[3012] == 1)
        #expect(client.closeCode() == 3012)
        await test.server.stop()
    }
}
