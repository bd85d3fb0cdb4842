import Edge
import Loop
import Testing

@Suite(.serialized) struct EventStreamTests {
    @Test("a stream stays open, sends what it is given and tells when the client has gone")
    func stream() async throws {
        let test = try await TestServer()
        var client: RawClient? = RawClient(port: test.port)
        client?.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        let head = try #require(client?.answer(hasBody: false))
        #expect(head.status == 200 && head.field("content-type") == "text/event-stream" && head.field("cache-control") == "no-store")
        #expect(client?.take(until: "\n\n") == "id: 1\ndata: {}\n\n")
        await { @LoopActor in _ = test.application.streams[0].send(Array("data: 2\n\n".utf8)) }()
        #expect(client?.take(until: "\n\n") == "data: 2\n\n")
        client = nil
        #expect(await eventually { test.application.closed == 1 && !test.application.streams[0].isOpen })
        #expect(await { @LoopActor in test.application.streams[0].send([1]) }() == false)
        await test.server.stop()
    }

    @Test("closing a stream ends the answer after what was sent")
    func close() async throws {
        let test = try await TestServer()
        let client = RawClient.streaming(from: test.port)
        await { @LoopActor in test.application.streams[0].close() }()
        #expect(client.take(until: "\n\n") == "id: 1\ndata: {}\n\n" && client.isAtEnd())
        await test.server.stop()
    }

    @Test("a reader that does not read is cut off at the limit")
    func slow() async throws {
        let test = try await TestServer { $0.limits.outboxBytes = 100_000 }
        let client = RawClient.streaming(from: test.port, receiveBuffer: 4096)
        #expect(await test.application.fillStream(most: 1000, chunkBytes: 50_000) < 1000)
        #expect(await eventually { test.application.closed == 1 && test.server.httpConnections == 0 })
        // It was there all the time.
        withExtendedLifetime(client) {}
        await test.server.stop()
    }

    @Test("a request that waits hears that its connection has ended")
    func waiting() async throws {
        let test = try await TestServer()
        let client = RawClient(port: test.port)
        client.send("GET /kept HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await eventually { test.application.kept.count == 1 })
        #expect(await { @LoopActor in test.application.kept[0].isOpen }())
        await test.server.stop()
        #expect(await { @LoopActor in test.application.closed == 1 && !test.application.kept[0].isOpen }())
    }
}
