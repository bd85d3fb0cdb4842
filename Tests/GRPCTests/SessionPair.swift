@testable import GRPC
import Loop

/// One end of HTTP/2 without a socket: what it wants to send is collected.
@LoopActor
final class SessionEnd {
    let session: HTTP2Session
    /// How each call ended, in order.
    var ends: [GRPCStatus] = []
    private(set) var sent: [UInt8] = []

    init(isServer: Bool) {
        session = HTTP2Session(isServer: isServer)
        guard isServer else { return }
        session.onRequest = { [unowned session] id, fields in
            let call = ServerCall(session, id, fields, 1 << 20)
            call.onMessage = { [unowned call] in call.send($0) }
            call.onHalfClose = { [unowned call] in call.finish(.ok) }
            return call
        }
    }

    @discardableResult
    func call(_ messages: [[UInt8]], halfClose: Bool = true) -> ClientCall {
        let call = ClientCall(session, 1 << 20) { _ in } onEnd: { status, _ in self.ends.append(status) }
        let fields = [
            HeaderField(":method", "POST"), HeaderField(":scheme", "http"), HeaderField(":path", "/test.Echo/Bidi"),
            HeaderField(":authority", "a"), HeaderField("te", "trailers"), HeaderField("content-type", "application/grpc"),
        ]
        call.start(fields, nil)
        for message in messages { call.send(message) }
        if halfClose { call.halfClose() }
        return call
    }

    /// What it sends now.
    func output() -> [UInt8] {
        var bytes: [UInt8] = []
        _ = session.takeOutput(while: { true }) { unsafe $0.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) } }
        sent += bytes
        return bytes
    }

    func receive(_ bytes: [UInt8]) -> Bool { session.receive(bytes.span) }

    /// Lets two ends talk until both are silent.
    static func converse(_ one: SessionEnd, _ other: SessionEnd) {
        while true {
            let there = one.output()
            _ = other.receive(there)
            let back = other.output()
            _ = one.receive(back)
            if there.isEmpty && back.isEmpty { return }
        }
    }
}

/// The types of the frames in bytes that one end has sent.
func frameTypes(_ bytes: [UInt8], afterPreface: Bool) -> [UInt8] {
    var index = afterPreface ? 24 : 0
    var types: [UInt8] = []
    while index + 9 <= bytes.count {
        types.append(bytes[index + 3])
        index += 9 + (Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2]))
    }
    return types
}
