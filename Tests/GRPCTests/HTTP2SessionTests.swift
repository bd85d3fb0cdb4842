import Loop
import Testing

@testable import GRPC

@Suite("The HTTP/2 session, two of them driven against each other")
@LoopActor
struct HTTP2SessionTests {
    @Test("a call that both sides have ended leaves no reset behind")
    func noReset() {
        let client = SessionEnd(isServer: false)
        let server = SessionEnd(isServer: true)
        client.call([[1], [2, 3]])
        SessionEnd.converse(client, server)
        #expect(client.ends == [.ok])
        #expect(!frameTypes(client.sent, afterPreface: true).contains(3))
        #expect(!frameTypes(server.sent, afterPreface: false).contains(3))
        #expect(client.session.streamCount == 0 && server.session.streamCount == 0)
    }

    @Test("messages that are sent together share one DATA frame")
    func sharedFrames() {
        let client = SessionEnd(isServer: false)
        client.call([[UInt8]](repeating: [1, 2, 3], count: 100))
        let types = frameTypes(client.output(), afterPreface: true)
        #expect(types.filter { $0 == 0 }.count == 1)
    }

    @Test("windows are given back as messages are read")
    func windows() {
        let client = SessionEnd(isServer: false)
        let server = SessionEnd(isServer: true)
        let call = client.call([], halfClose: false)
        // Four times the stream's window, in messages below the limit.
        for _ in 0..<40 {
            call.send([UInt8](repeating: 7, count: 800_000))
            SessionEnd.converse(client, server)
        }
        call.halfClose()
        SessionEnd.converse(client, server)
        #expect(client.ends == [.ok])
    }

    @Test("a header block longer than anyone needs ends its stream, not the session")
    func longHeaders() {
        let client = SessionEnd(isServer: false)
        let server = SessionEnd(isServer: true)
        let call = ClientCall(client.session, 1000) { _ in } onEnd: { status, _ in client.ends.append(status) }
        let filler = HeaderField("x-filler", String(repeating: "v", count: 30))
        let head = [
            HeaderField(":method", "POST"), HeaderField(":scheme", "http"), HeaderField(":path", "/a"),
            HeaderField(":authority", "a"), HeaderField("content-type", "application/grpc"),
        ]
        // The same field again costs the sender one byte; the other side's table makes it long again.
        call.start(head + [HeaderField](repeating: filler, count: 1000), nil)
        SessionEnd.converse(client, server)
        #expect(client.ends.map(\.code) == [.internalError])
        client.call([[1]])
        SessionEnd.converse(client, server)
        #expect(client.ends.last == .ok)
    }

    @Test("every call ends once when the connection is lost")
    func lost() {
        let client = SessionEnd(isServer: false)
        for _ in 0..<5 { client.call([[1]]) }
        client.session.connectionLost(.reset)
        client.session.connectionLost(.reset)
        #expect(client.ends.map(\.code) == [GRPCStatus.Code](repeating: .unavailable, count: 5))
    }
}
