import Payments
import TestSupport
import Testing
import Wire

@Suite struct ClientCommandTests {
    static let samples = [
        #"{"id":1,"connect":{"token":"t"}}"#, #"{"id":2,"subscribe":{"channel":"events","recover":true,"epoch":"e","offset":3}}"#,
        #"{"id":3,"rpc":{"method":"invoice.get","data":{"payment_hash":"00"}}}"#, #"{}"#, #"{"id":4,"history":{"channel":"events","limit":5}}"#,
        #"{"id":5,"unsubscribe":{"channel":"events"}}"#, #"{"id":6,"publish":{"channel":"events","data":{}}}"#, #"{"id":7,"ping":{}}"#,
    ]

    @Test("Several commands of one message are read in order")
    func several() {
        let commands = ClientCommand.decode(Array(Self.samples.joined(separator: "\n").utf8))
        #expect(commands?.map(\.id) == [1, 2, 3, 0, 4, 5, 6, 7])
        #expect(commands?.last?.method == .ping)
        #expect(commands?[6].method == .unavailable)
    }

    @Test("What is not a command is refused", arguments: ["", "\n", "[]", "1", #"{"id":0,"ping":{}}"#, #"{"id":1}"#, #"{"ping":{}}"#, #"{"id":-1,"ping":{}}"#])
    func refused(text: String) {
        #expect(ClientCommand.decode(Array(text.utf8)) == nil)
    }

    @Test("Damaged messages never trap a session, and a closed session stays silent")
    func damaged() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<4000 {
            var session = ClientSession(settings: .init(version: "1"), client: 0xC, now: 0)
            var orders: [SessionOrder] = []
            for _ in 0..<4 {
                var bytes = Array(Self.samples.randomElement(using: &random)!.utf8)
                for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                if Bool.random(using: &random) { bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))) }
                let wasClosed = orders.contains { if case .close = $0 { true } else { false } }
                let more = session.received(bytes, now: 1)
                if wasClosed { #expect(more.isEmpty) }
                orders += more
                for case .authenticate(_, let request) in more { orders += session.authenticated(.unknown, for: request) }
            }
        }
    }
}
