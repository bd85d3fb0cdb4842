@testable import GRPC
import Loop
import Testing

@Suite("What a server keeps for strangers has bounds", .timeLimit(.minutes(1)))
@LoopActor
struct ServerLimitTests {
    private func serve(_ change: (inout GRPCSettings) -> Void) throws -> (server: GRPCServer, port: Int) {
        var settings = GRPCSettings()
        change(&settings)
        let server = EchoServer.make(settings: settings)
        return (server, try server.start())
    }

    private func client(_ port: Int) -> GRPCClient {
        let client = GRPCClient(host: "127.0.0.1", port: port, tls: nil)
        client.connect()
        return client
    }

    /// A call that is open at the server.
    private func open(_ method: String, at client: GRPCClient) async -> ClientCall {
        let call = client.call("/test.Echo/" + method) { _ in } onEnd: { _, _ in }
        call.send([1])
        await pause(milliseconds: 50)
        return call
    }

    @Test("a connection too many is closed, and its place is free again when another goes")
    func connections() async throws {
        let (server, port) = try serve { $0.maximumConnections = 1 }
        let first = client(port)
        #expect(await first.outcome("Unary").status == .ok)
        #expect(await client(port).outcome("Unary").status.code == .unavailable)
        first.close()
        var status = GRPCStatus(.unavailable)
        for _ in 0..<50 where status != .ok { status = await client(port).outcome("Unary").status }
        #expect(status == .ok)
        server.closeConnections()
        server.stop()
    }

    @Test("a call too many is told so, whatever its connection")
    func calls() async throws {
        let (server, port) = try serve { $0.maximumCalls = 2 }
        let first = client(port), second = client(port)
        let held = [await open("Never", at: first), await open("Bidi", at: second)]
        #expect(server.callCount == 2)
        #expect(await first.outcome("Unary").status.code == .resourceExhausted)
        held[0].cancel()
        await pause(milliseconds: 50)
        #expect(await second.outcome("Unary").status == .ok)
        first.close()
        second.close()
        server.stop()
    }

    @Test("a request that does not come ends its call, and a second message is not one request")
    func requests() async throws {
        let (server, port) = try serve { $0.requestTimeoutMilliseconds = 100 }
        let client = client(port)
        let status = await withCheckedContinuation { done in
            let call = client.call("/test.Echo/Unary") { _ in } onEnd: { status, _ in done.resume(returning: status) }
            call.send([1])
        }
        #expect(status.code == .deadlineExceeded)
        #expect(await client.outcome("Unary", [[1], [2]]).status.code == .invalidArgument)
        #expect(await client.outcome("Unary", [[1]]).messages == [[1]])
        client.close()
        server.stop()
    }

    private func eventually(_ condition: @LoopActor () -> Bool) async -> Bool {
        for _ in 0..<250 where !condition() { await pause(milliseconds: 20) }
        return condition()
    }

    @Test("calls that end before their request has come leave no deadlines behind")
    func endedRequests() async throws {
        let (server, port) = try serve { _ in }
        let client = client(port)
        // Those of other tests.
        #expect(await eventually { GRPCServer.deadlines.count == 0 })
        var calls: [ClientCall] = []
        for _ in 0..<20 { calls.append(await open("Unary", at: client)) }
        #expect(await eventually { GRPCServer.deadlines.count == 20 })
        for call in calls { call.cancel() }
        #expect(await eventually { GRPCServer.deadlines.count == 0 })
        #expect(await client.outcome("Unary", [[1], [2]]).status.code == .invalidArgument)
        #expect(GRPCServer.deadlines.count == 0)
        client.close()
        server.stop()
    }

    @Test("who connects and asks nothing is sent away, who asks is not")
    func idling() async throws {
        let (server, port) = try serve {
            $0.firstCallTimeoutMilliseconds = 100
            $0.idleTimeoutMilliseconds = 300
        }
        #expect(await client(port).closedReason() == .goAway(code: 0, detail: ""))
        let asking = client(port)
        let call = await open("Never", at: asking)
        await pause(milliseconds: 500)
        #expect(asking.state == .ready)
        call.cancel()
        #expect(await asking.closedReason() == .goAway(code: 0, detail: ""))
        #expect(server.connectionCount == 0)
        server.stop()
    }

    @Test("what is not read is not kept: the call ends at once, and the connection lives on")
    func overrun() async throws {
        let (server, port) = try serve { _ in }
        var kept = 0
        server.handle("/test.Echo/Pour") { call in
            for _ in 0..<100 { call.send([UInt8](repeating: 1, count: 1 << 20)) }
            _ = Timer(afterMilliseconds: 50) {
                call.overrun()
                call.send([1])
                kept = call.bufferedBytes
            }
        }
        let client = client(port)
        let outcome = await client.outcome("Pour")
        #expect(outcome.status.code == .resourceExhausted && outcome.messages.count < 100)
        #expect(kept == 0)
        #expect(await client.outcome("Unary", [[1]]).messages == [[1]])
        client.close()
        server.stop()
    }

    @Test("what was sent is told to have gone")
    func drain() async throws {
        let (server, port) = try serve { _ in }
        server.handle("/test.Echo/Steps") { call in
            var steps = 0
            call.onDrain = { [unowned call] in
                steps += 1
                if steps < 3 { call.send([UInt8(steps)]) } else { call.finish(.ok) }
            }
            call.send([0])
        }
        let client = client(port)
        #expect(await client.outcome("Steps").messages == [[0], [1], [2]])
        client.close()
        server.stop()
    }
}
