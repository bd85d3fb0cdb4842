@testable import Loop
import Testing

@Suite("Through a SOCKS5 proxy", .timeLimit(.minutes(1)))
@LoopActor
struct SOCKSTests {
    private func handshake(_ host: String = "node.onion", _ credentials: SOCKSProxy.Credentials? = nil) throws -> SOCKSHandshake {
        try #require(SOCKSHandshake(to: host, port: 10009, of: SOCKSProxy(host: "127.0.0.1", port: 9050, credentials: credentials)))
    }

    private static let ask: [UInt8] = [5, 1, 0, 3, 10] + Array("node.onion".utf8) + [0x27, 0x19]

    @Test("a name is told to the proxy, an address in numbers as such")
    func destinations() throws {
        var name = try handshake()
        #expect(name.greeting == [5, 1, 0])
        #expect(name.receive([5, 0]) == .send(Self.ask))
        var four = try handshake("10.0.0.7")
        #expect(four.receive([5, 0]) == .send([5, 1, 0, 1, 10, 0, 0, 7, 0x27, 0x19]))
        var six = try handshake("::1")
        #expect(six.receive([5, 0]) == .send([5, 1, 0, 4] + [UInt8](repeating: 0, count: 15) + [1, 0x27, 0x19]))
        #expect(SOCKSHandshake(to: String(repeating: "a", count: 256), port: 1, of: SOCKSProxy(host: "x", port: 1)) == nil)
    }

    @Test("a name and a password are given if the proxy asks for them")
    func password() throws {
        var given = try handshake("node.onion", SOCKSProxy.Credentials(name: "me", password: "pw"))
        #expect(given.greeting == [5, 2, 0, 2])
        #expect(given.receive([5, 2]) == .send([1, 2, 109, 101, 2, 112, 119]))
        #expect(given.receive([1, 0]) == .send(Self.ask))
        var refused = try handshake("node.onion", SOCKSProxy.Credentials(name: "me", password: "pw"))
        _ = refused.receive([5, 2])
        #expect(refused.receive([1, 1]) == .failed("the proxy does not take the name and password"))
        var missing = try handshake()
        #expect(missing.receive([5, 2]) == .failed("the proxy wants a name and a password"))
    }

    @Test("the way is open after the whole answer, in whatever pieces it comes", arguments: [
        [5, 0, 0, 1, 1, 2, 3, 4, 0, 80], [5, 0, 0, 3, 2, 97, 98, 0, 80], [5, 0, 0, 4] + [UInt8](repeating: 9, count: 18),
    ])
    func pieces(answer: [UInt8]) throws {
        var whole = try handshake()
        _ = whole.receive([5, 0])
        #expect(whole.receive(answer + [7, 8]) == .open(rest: [7, 8]))
        var slow = try handshake()
        #expect(slow.receive([5]) == .waiting)
        #expect(slow.receive([0]) == .send(Self.ask))
        for byte in answer.dropLast() { #expect(slow.receive([byte]) == .waiting) }
        #expect(slow.receive([answer.last!]) == .open(rest: []))
    }

    @Test("whatever a proxy says ends in an answer, and never traps")
    func noise() throws {
        var refused = try handshake()
        _ = refused.receive([5, 0])
        #expect(refused.receive([5, 4, 0, 1, 0, 0, 0, 0, 0, 0]) == .failed("the proxy cannot reach the host"))
        for first in 0...255 as ClosedRange<UInt8> {
            for second in 0...255 as ClosedRange<UInt8> {
                var noise = try handshake()
                _ = noise.receive([first, second])
                var later = try handshake()
                _ = later.receive([5, 0])
                _ = later.receive([5, 0, first, second, 255] + [UInt8](repeating: second, count: 10))
            }
        }
    }

    /// A proxy that leads everywhere to one port, and writes down what it was asked for.
    @LoopActor
    private final class Proxy {
        private(set) var questions: [[UInt8]] = []
        var answer: [UInt8] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        let listener: TCPListener

        init(leadingTo port: Int) throws {
            weak var proxy: Proxy?
            listener = try TCPListener(host: "127.0.0.1", port: 0) { client in
                var step = 0
                var target: TCPStream?
                client.onBytes = { bytes in
                    let bytes = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
                    step += 1
                    switch step {
                    case 1: client.write([5, 0])
                    case 2:
                        proxy?.questions.append(bytes)
                        client.write(proxy?.answer ?? [])
                        let stream = TCPStream(host: "127.0.0.1", port: port)
                        stream.onBytes = { client.write($0) }
                        stream.onClose = { _ in client.close() }
                        target = stream
                    default: target?.write(bytes)
                    }
                }
                client.onClose = { _ in target?.close() }
            }
            proxy = self
        }
    }

    @Test("a stream reaches a name that only the proxy knows")
    func stream() async throws {
        let server = try TCPListener(host: "127.0.0.1", port: 0) { stream in stream.onBytes = { stream.write($0) } }
        let proxy = try Proxy(leadingTo: server.port)
        let stream = TCPStream(host: "node.invalid", port: 10009, through: SOCKSProxy(host: "127.0.0.1", port: proxy.listener.port))
        let echoed: [UInt8] = await withCheckedContinuation { done in
            var received: [UInt8] = []
            stream.onBytes = { bytes in
                unsafe bytes.withUnsafeBufferPointer { unsafe received.append(contentsOf: $0) }
                if received.count == 5 { done.resume(returning: received) }
            }
            // Before it is open: it waits for the way.
            stream.write(Array("hello".utf8))
        }
        #expect(echoed == Array("hello".utf8))
        #expect(proxy.questions == [[5, 1, 0, 3, 12] + Array("node.invalid".utf8) + [0x27, 0x19]])
        stream.close()
        server.close()
        proxy.listener.close()
    }

    @Test("a refusal ends the stream with the proxy's reason, a proxy that is not there as a refused connection")
    func refusals() async throws {
        let proxy = try Proxy(leadingTo: 1)
        proxy.answer = [5, 2, 0, 1, 0, 0, 0, 0, 0, 0]
        func reason(_ port: Int) async -> CloseReason {
            await withCheckedContinuation { done in
                let stream = TCPStream(host: "node.invalid", port: 1, through: SOCKSProxy(host: "127.0.0.1", port: port))
                stream.onOpen = { Issue.record("it is not open") }
                stream.onClose = { done.resume(returning: $0) }
            }
        }
        #expect(await reason(proxy.listener.port) == .proxyFailed(detail: "the proxy's rules forbid this address"))
        proxy.listener.close()
        #expect(await reason(proxy.listener.port) == .refused)
    }

    @Test("a proxy that says nothing is waited for no longer than for a connection")
    func silence() async throws {
        let silent = try TCPListener(host: "127.0.0.1", port: 0) { _ in }
        let reason = await withCheckedContinuation { done in
            let stream = TCPStream(
                host: "node.invalid", port: 1, through: SOCKSProxy(host: "127.0.0.1", port: silent.port), timeoutMilliseconds: 200)
            stream.onClose = { done.resume(returning: $0) }
        }
        #expect(reason == .timedOut)
        silent.close()
    }
}
