import GRPC
import Loop
import TestSupport
import Testing

@Suite("Calls of every shape, against Swift and Python servers", .timeLimit(.minutes(1)))
@LoopActor
struct CallShapeTests {
    private static let large = [UInt8](repeating: 0x5A, count: 5_000_000)

    @Test("one message each way, with metadata and trailers", arguments: Peer.Kind.allCases)
    func unary(_ kind: Peer.Kind) async throws {
        let peer = try await Peer(kind)
        let outcome = await peer.client.outcome("Unary", [Array("hello".utf8)], metadata: Metadata([("X-Ask", "what")]))
        #expect(outcome.status == .ok)
        #expect(outcome.messages == [Array("hello".utf8)])
        #expect(outcome.trailers.first("x-answer") == "what")
        let empty = await peer.client.outcome("Unary", [[]])
        #expect(empty.messages == [[]])
        peer.stop()
    }

    @Test("the unary shorthand gives the one response", arguments: [Peer.Kind.swiftTLS, .pythonTLS])
    func shorthand(_ kind: Peer.Kind) async throws {
        let peer = try await Peer(kind)
        let result = await withCheckedContinuation { done in
            peer.client.unary("/test.Echo/Unary", deadlineMilliseconds: 50_000, request: [1, 2, 3]) { done.resume(returning: $0) }
        }
        #expect(result == .success([1, 2, 3]))
        peer.stop()
    }

    @Test("many small messages share frames in both directions", arguments: Peer.Kind.allCases)
    func streams(_ kind: Peer.Kind) async throws {
        let peer = try await Peer(kind)
        let repeated = await peer.client.outcome("Repeat", [Array("3000:40".utf8)])
        #expect(repeated.status == .ok)
        #expect(repeated.messages.count == 3000)
        #expect(repeated.messages.allSatisfy { $0 == [UInt8](repeating: UInt8(ascii: "r"), count: 40) })
        let counted = await peer.client.outcome("Count", [[UInt8]](repeating: [1, 2, 3, 4], count: 3000))
        #expect(counted.messages == [Array("3000:12000".utf8)])
        let words = (0..<500).map { Array(String($0).utf8) }
        let both = await peer.client.outcome("Bidi", words)
        #expect(both.status == .ok)
        #expect(both.messages == words)
        peer.stop()
    }

    @Test("a message of five megabytes spans frames and windows", arguments: Peer.Kind.allCases)
    func large(_ kind: Peer.Kind) async throws {
        let peer = try await Peer(kind)
        let message = Self.large
        let outcome = await peer.client.outcome("Unary", [message], deadlineMilliseconds: 50_000)
        #expect(outcome.status == .ok)
        let isSame = outcome.messages == [message]
        #expect(isSame)
        peer.stop()
    }

    @Test("an error comes with its code and its words, with and without a message before it", arguments: Peer.Kind.allCases)
    func failures(_ kind: Peer.Kind) async throws {
        let peer = try await Peer(kind)
        let alone = await peer.client.outcome("Fail")
        #expect(alone.status == GRPCStatus(.notFound, EchoServer.words))
        #expect(alone.messages.isEmpty)
        let late = await peer.client.outcome("FailLate", [[9]])
        #expect(late.status == GRPCStatus(.failedPrecondition, EchoServer.words))
        #expect(late.messages == [[9]])
        #expect(await peer.client.outcome("Missing").status.code == .unimplemented)
        peer.stop()
    }

    @Test("a deadline ends the call here, and the connection lives on", arguments: Peer.Kind.allCases)
    func deadline(_ kind: Peer.Kind) async throws {
        let peer = try await Peer(kind)
        #expect(await peer.client.outcome("Never", deadlineMilliseconds: 100).status.code == .deadlineExceeded)
        #expect(await peer.client.outcome("Unary", [[7]]).messages == [[7]])
        peer.stop()
    }

    @Test("cancelling ends the call once, with CANCELLED, and not within the order", arguments: Peer.Kind.allCases)
    func cancel(_ kind: Peer.Kind) async throws {
        let peer = try await Peer(kind)
        var ends = 0
        let status = await withCheckedContinuation { done in
            let call = peer.client.call("/test.Echo/Bidi") { _ in
            } onEnd: { status, _ in
                ends += 1
                done.resume(returning: status)
            }
            call.send([1])
            call.cancel()
            call.cancel()
            #expect(ends == 0)
        }
        #expect(status.code == .cancelled)
        #expect(await peer.client.outcome("Unary", [[7]]).messages == [[7]])
        #expect(ends == 1)
        peer.stop()
    }

    @Test("a Python client finds nothing to complain about", arguments: [false, true])
    func pythonClient(tls: Bool) async throws {
        let configuration = try TLSServerConfiguration(
            certificatePEM: TestCertificates.valid, keyPEM: TestCertificates.validKey)
        let server = EchoServer.make(tls: tls ? configuration : nil)
        let port = try server.start()
        #expect(try await PythonPeer.client(port: port, tls: tls) == "ok")
        server.stop()
    }
}
