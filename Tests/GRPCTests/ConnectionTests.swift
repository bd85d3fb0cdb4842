import GRPC
import Loop
import TestSupport
import Testing

@Suite("Connections", .timeLimit(.minutes(1)))
@LoopActor
struct ConnectionTests {
    private func serverTLS(expired: Bool = false) throws -> TLSServerConfiguration {
        try expired
            ? TLSServerConfiguration(certificatePEM: TestCertificates.expired, keyPEM: TestCertificates.expiredKey)
            : TLSServerConfiguration(certificatePEM: TestCertificates.valid, keyPEM: TestCertificates.validKey)
    }

    private func client(_ port: Int, pinned: [UInt8]? = nil, settings: GRPCSettings = GRPCSettings()) throws -> GRPCClient {
        GRPCClient(host: "localhost", port: port, tls: try pinned.map { try TLSClient(pinned: $0) }, settings: settings)
    }

    @Test("a certificate other than the pinned one is refused before any call leaves")
    func mismatch() async throws {
        var calls = 0
        let server = EchoServer.make(tls: try serverTLS())
        server.handle("/test.Echo/Spy") { _ in calls += 1 }
        let client = try client(try server.start(), pinned: TestCertificates.expired)
        client.connect()
        let outcome = await client.outcome("Spy")
        #expect(outcome.status.code == .unavailable)
        #expect(await client.closedReason() == .certificateMismatch)
        #expect(calls == 0)
        server.stop()
    }

    @Test("the pinned certificate is accepted under another name and after its time")
    func expired() async throws {
        let server = EchoServer.make(tls: try serverTLS(expired: true))
        let client = try client(try server.start(), pinned: TestCertificates.expired)
        client.connect()
        #expect(await client.outcome("Unary", [[1]]).messages == [[1]])
        client.close()
        server.stop()
    }

    @Test("the state goes from connecting to ready to closed, each told once")
    func states() async throws {
        let server = EchoServer.make()
        let client = try client(try server.start())
        var states: [GRPCClient.State] = []
        client.onState = { states.append($0) }
        client.connect()
        client.connect()
        #expect(await client.outcome("Unary", [[1]]).status == .ok)
        client.close()
        client.close()
        #expect(states == [.connecting, .ready, .closed(.closedHere)])
        #expect(await client.outcome("Unary").status.code == .unavailable)
        server.stop()
    }

    @Test("a port without a server is refused, and so are the calls that waited")
    func refused() async throws {
        let listener = try TCPListener(host: "127.0.0.1", port: 0) { $0.close() }
        let port = listener.port
        listener.close()
        let client = try client(port)
        client.connect()
        #expect(await client.outcome("Unary").status.code == .unavailable)
        #expect(await client.closedReason() == .refused)
    }

    @Test("a server in the clear is no TLS server, and the other way round")
    func plainAgainstTLS() async throws {
        let plain = EchoServer.make()
        let secure = EchoServer.make(tls: try serverTLS())
        let first = try client(try plain.start(), pinned: TestCertificates.valid)
        first.connect()
        let reason = await first.closedReason()
        if case .tlsFailed = reason {} else { #expect(reason == .closedByPeer) }
        let second = try client(try secure.start())
        second.connect()
        #expect(await second.outcome("Unary").status.code == .unavailable)
        plain.stop()
        secure.stop()
    }

    @Test("a server that stops lets open calls finish, takes no new ones, and the connection ends with its goodbye")
    func goAway() async throws {
        let server = EchoServer.make(tls: try serverTLS())
        let client = try client(try server.start(), pinned: TestCertificates.valid)
        client.connect()
        var messages: [[UInt8]] = []
        let box = CallBox()
        let status = await withCheckedContinuation { done in
            box.call = client.call("/test.Echo/Bidi") { message in
                messages.append(message)
                guard messages.count == 1 else { return }
                server.stop()
                // Time for the goodbye to arrive.
                _ = Timer(afterMilliseconds: 100) {
                    box.call?.send([2])
                    box.call?.halfClose()
                }
            } onEnd: { status, _ in
                done.resume(returning: status)
            }
            box.call?.send([1])
        }
        #expect(status == .ok)
        #expect(messages == [[1], [2]])
        #expect(await client.outcome("Unary").status.code == .unavailable)
        #expect(await client.closedReason() == .goAway(code: 0, detail: ""))
    }

    @Test("a cut connection ends its calls on both sides with one end each")
    func cut() async throws {
        let server = EchoServer.make(tls: try serverTLS())
        var cancelled = 0
        server.handle("/test.Echo/Wait") { call in
            call.onCancel = { cancelled += 1 }
            call.sendHeaders()
        }
        let client = try client(try server.start(), pinned: TestCertificates.valid)
        client.connect()
        let status = await withCheckedContinuation { done in
            let call = client.call("/test.Echo/Wait") { _ in } onEnd: { status, _ in done.resume(returning: status) }
            call.onHeaders = { _ in server.closeConnections() }
        }
        #expect(status.code == .unavailable)
        #expect(cancelled == 1)
        #expect(server.connectionCount == 0)
        #expect(await client.closedReason() == .closedByPeer)
        server.stop()
    }

    @Test("a connection may be closed from within any closure of its calls", arguments: [false, true])
    func closedFromWithin(tls: Bool) async throws {
        let server = EchoServer.make(tls: tls ? try serverTLS() : nil)
        let port = try server.start()
        for place in 0..<3 {
            let client = try client(port, pinned: tls ? TestCertificates.valid : nil)
            client.connect()
            var ends = 0
            await withCheckedContinuation { done in
                let call = client.call("/test.Echo/Bidi") { _ in
                    if place == 0 { client.close() }
                    if place == 1 { server.closeConnections() }
                } onEnd: { _, _ in
                    ends += 1
                    client.close()
                    done.resume()
                }
                for byte in 0..<20 as Range<UInt8> { call.send([byte]) }
                call.halfClose()
            }
            await pause(milliseconds: 5)
            #expect(ends == 1)
        }
        server.stop()
    }

    @Test("clients, calls and servers are released when they are done")
    func released() async throws {
        weak var weakClient: GRPCClient?
        weak var weakCall: ClientCall?
        weak var weakServer: GRPCServer?
        do {
            let server = EchoServer.make(tls: try serverTLS())
            let client = try client(try server.start(), pinned: TestCertificates.valid)
            client.connect()
            (weakClient, weakServer) = (client, server)
            await withCheckedContinuation { done in
                weakCall = client.unary("/test.Echo/Unary", deadlineMilliseconds: 50_000, request: [1]) { _ in done.resume() }
            }
            client.close()
            server.stop()
        }
        for _ in 0..<200 where weakClient != nil || weakCall != nil || weakServer != nil { await pause(milliseconds: 2) }
        #expect(weakClient == nil)
        #expect(weakCall == nil)
        #expect(weakServer == nil)
    }

    @Test("a client's cancellation reaches the server")
    func cancellationArrives() async throws {
        let server = EchoServer.make()
        let client = try client(try server.start())
        client.connect()
        await withCheckedContinuation { done in
            server.handle("/test.Echo/Wait") { call in
                call.onCancel = { done.resume() }
                call.sendHeaders()
            }
            let call = client.call("/test.Echo/Wait") { _ in } onEnd: { _, _ in }
            call.onHeaders = { [unowned call] _ in call.cancel() }
        }
        client.close()
        server.stop()
    }

    @Test("a server that ends a call while the client still sends gets its status through")
    func earlyStatus() async throws {
        let server = EchoServer.make()
        server.handle("/test.Echo/Early") { call in
            call.onMessage = { [unowned call] in
                call.send($0)
                call.finish(GRPCStatus(.unknown, "interceptor already exists"))
            }
        }
        let client = try client(try server.start())
        client.connect()
        var call: ClientCall?
        let status = await withCheckedContinuation { done in
            call = client.call("/test.Echo/Early") { _ in } onEnd: { status, _ in done.resume(returning: status) }
            call?.send([1])
        }
        #expect(status == GRPCStatus(.unknown, "interceptor already exists"))
        call?.send([2])
        #expect(await client.outcome("Unary", [[3]]).messages == [[3]])
        client.close()
        server.stop()
    }

    @Test("pings go out while a call is open, and a peer that does not answer is given up")
    func keepalive() async throws {
        var settings = GRPCSettings()
        settings.keepaliveMilliseconds = 30
        settings.keepaliveTimeoutMilliseconds = 20_000
        let server = EchoServer.make()
        let living = try client(try server.start(), settings: settings)
        living.connect()
        #expect(await living.outcome("Unary").status == .ok)
        let call = living.call("/test.Echo/Bidi") { _ in } onEnd: { _, _ in }
        await pause(milliseconds: 300)
        #expect(living.state == .ready)
        call.cancel()
        living.close()

        var silent: [TCPStream] = []
        let mute = try TCPListener(host: "127.0.0.1", port: 0) { silent.append($0) }
        settings.keepaliveTimeoutMilliseconds = 60
        let dead = try client(mute.port, settings: settings)
        dead.connect()
        #expect(await dead.outcome("Unary").status.code == .unavailable)
        #expect(await dead.closedReason() == .keepaliveTimedOut)
        mute.close()
        for stream in silent { stream.close() }
        server.stop()
    }

    @Test("a message above the limit ends its call with RESOURCE_EXHAUSTED, on either side")
    func tooLong() async throws {
        var small = GRPCSettings()
        small.maximumMessageBytes = 1000
        let server = EchoServer.make()
        let client = try client(try server.start(), settings: small)
        client.connect()
        #expect(await client.outcome("Repeat", [Array("1:1001".utf8)]).status.code == .resourceExhausted)
        #expect(await client.outcome("Repeat", [Array("1:1000".utf8)]).status == .ok)
        let strict = EchoServer.make(settings: small)
        let generous = try self.client(try strict.start())
        generous.connect()
        #expect(await generous.outcome("Unary", [[UInt8](repeating: 0, count: 1001)]).status.code == .resourceExhausted)
        client.close()
        generous.close()
        server.stop()
        strict.stop()
    }
}

/// A call that its own closures want to reach.
@LoopActor
private final class CallBox {
    var call: ClientCall?
}
