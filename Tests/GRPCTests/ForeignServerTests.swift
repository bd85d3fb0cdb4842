import Loop
import Testing

@testable import GRPC

/// One side of a call that says what it is told, gRPC or not.
@LoopActor
private final class ScriptedStream: HTTP2Stream {
    private var body: [UInt8]
    private let trailers: [HeaderField]
    private(set) var heard: [HeaderField] = []

    init(body: [UInt8], trailers: [HeaderField]) {
        self.body = body
        self.trailers = trailers
    }

    func received(_ fields: [HeaderField], isEnd: Bool) { heard += fields }
    func received(_ data: Span<UInt8>) {}
    func inputEnded() {}
    func closed(errorCode: UInt32) {}
    func connectionLost(_ reason: ClosedReason) {}

    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> StreamFilling {
        let count = min(body.count, buffer.count)
        for index in 0..<count { unsafe buffer[index] = body[index] }
        body.removeFirst(count)
        return body.isEmpty ? .last(count, trailers: trailers) : .bytes(count)
    }
}

@Suite("What a client makes of a server that does not keep to gRPC")
@LoopActor
struct ForeignServerTests {
    private static let head = [HeaderField(":status", "200"), HeaderField("content-type", "application/grpc")]

    /// The status of a call that is answered in this way.
    private func status(
        _ head: [HeaderField]?, body: [UInt8] = [], trailers: [HeaderField] = [], isEnd: Bool = false
    ) async -> GRPCStatus? {
        let client = SessionEnd(isServer: false)
        let server = SessionEnd(isServer: true)
        server.session.onRequest = { [unowned session = server.session] id, _ in
            guard let head else { return nil }
            session.respond(id, head, isEnd: isEnd)
            return ScriptedStream(body: body, trailers: trailers)
        }
        client.call([[1]])
        SessionEnd.converse(client, server)
        await pause(milliseconds: 1)
        #expect(client.ends.count == 1)
        return client.ends.first
    }

    @Test("an HTTP status other than 200 counts when there is no grpc-status, with and without a body")
    func httpStatus() async {
        let head = [HeaderField(":status", "503"), HeaderField("content-type", "text/html")]
        #expect(await status(head, isEnd: true)?.code == .unavailable)
        #expect(await status(head, body: Array("<html>".utf8))?.code == .unavailable)
        let named = head + [HeaderField("grpc-status", "7"), HeaderField("grpc-message", "no")]
        #expect(await status(named, isEnd: true) == GRPCStatus(.permissionDenied, "no"))
    }

    @Test("a refused stream is UNAVAILABLE, so that the call may be tried again")
    func refused() async { #expect(await status(nil)?.code == .unavailable) }

    @Test("a body that is not gRPC is UNKNOWN")
    func contentType() async {
        let head = [HeaderField(":status", "200"), HeaderField("content-type", "text/plain")]
        #expect(await status(head, body: [1, 2, 3])?.code == .unknown)
    }

    @Test("a stream that ends without a status is INTERNAL")
    func noStatus() async {
        #expect(await status(Self.head, body: [0, 0, 0, 0, 0])?.code == .internalError)
        #expect(await status(Self.head, isEnd: true)?.code == .internalError)
    }

    @Test("a compressed or cut message is INTERNAL")
    func badMessages() async {
        let ok = [HeaderField("grpc-status", "0")]
        #expect(await status(Self.head, body: [0, 0, 0, 0, 1, 9], trailers: ok) == .ok)
        #expect(await status(Self.head, body: [1, 0, 0, 0, 1, 9], trailers: ok)?.code == .internalError)
        #expect(await status(Self.head, body: [0, 0, 0, 0, 2, 9], trailers: ok)?.code == .internalError)
    }

    @Test("a compressed request is UNIMPLEMENTED")
    func compressedRequest() {
        let server = SessionEnd(isServer: true)
        let client = SessionEnd(isServer: false)
        let call = ScriptedStream(body: [1, 0, 0, 0, 1, 9], trailers: [])
        let fields = [
            HeaderField(":method", "POST"), HeaderField(":scheme", "http"), HeaderField(":path", "/a"),
            HeaderField(":authority", "a"), HeaderField("content-type", "application/grpc"),
        ]
        _ = client.session.request(fields, call)
        SessionEnd.converse(client, server)
        #expect(GRPCStatus(trailers: call.heard)?.code == .unimplemented)
    }
}
