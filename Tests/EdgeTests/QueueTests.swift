import Edge
import Loop
import Payments
import Testing

/// Clients that do not read: what waits for them is bounded for each and for all, and so is how long.
@Suite(.serialized) struct QueueTests {
    private static let data = "\"" + String(repeating: "x", count: 20_000) + "\""

    private func reader(_ test: TestServer) throws -> RawClient {
        let client = RawClient(port: test.port, receiveBuffer: 4096)
        _ = client.handshake()
        client.sendText(#"{"id":1,"connect":{"token":"key"}}"#)
        _ = client.text()
        client.sendText(#"{"id":2,"subscribe":{"channel":"invoice:\#(String(repeating: "0", count: 64))"}}"#)
        #expect(try #require(client.text()).contains(#""id":2"#))
        return client
    }

    /// Publishes to the invoice's channel until the condition holds.
    private func flood(_ test: TestServer, until condition: @LoopActor @Sendable () -> Bool) async -> Bool {
        for offset in 1...5000 {
            await { @LoopActor in test.server.publish([TestServer.event(Int64(offset), hash: TestChannels.hash, data: Self.data)]) }()
            if await condition() { return true }
        }
        return false
    }

    @Test("who makes the bytes for all clients too many is closed with 3008, and what waited for it is forgotten")
    func total() async throws {
        let test = try await TestServer { $0.limits.totalOutboxBytes = 300_000 }
        let clients = [try reader(test), try reader(test)]
        #expect(await flood(test) { (test.server.counters.refused[.queue] ?? 0) > 0 })
        #expect(await eventually { test.server.counters.closes[3008] == 1 })
        #expect(await test.server.queuedBytes <= 300_000)
        await test.server.stop()
        #expect(await eventually { test.server.queuedBytes == 0 })
        #expect(clients.count == 2)
    }

    @Test("who takes nothing of what waits is closed with 3008 after a time")
    func stalled() async throws {
        let test = try await TestServer { $0.limits.stallSeconds = 1 }
        let slow = try reader(test)
        #expect(await flood(test) { test.server.queuedBytes > 100_000 })
        for _ in 0..<2000 where await test.server.counters.closes[3008] == 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(await test.server.counters.closes[3008] == 1)
        #expect(await eventually { test.server.queuedBytes == 0 })
        #expect(slow.closeCode() == 3008)
        await test.server.stop()
    }

    @Test("event streams count too")
    func streams() async throws {
        let test = try await TestServer { $0.limits.totalOutboxBytes = 100_000 }
        let client = RawClient.streaming(from: test.port, receiveBuffer: 4096)
        #expect(await test.application.fillStream(most: 5000, chunkBytes: 20_000) < 5000)
        #expect(await { @LoopActor in test.server.queuedBytes == 0 && test.application.closed == 1 }())
        // It was there all the time.
        withExtendedLifetime(client) {}
        await test.server.stop()
    }
}
