import Loop
import Testing

@testable import GRPC

@Suite("Hostile HTTP/2")
@LoopActor
struct HTTP2FuzzTests {
    /// Lets the ends come that are told at the end of a turn.
    private func expectEnds(_ count: Int, of clients: [SessionEnd]) async {
        await pause(milliseconds: 1)
        #expect(clients.allSatisfy { $0.ends.count == count })
    }

    /// Feeds in pieces of random length; stops where a connection would.
    private func feed(_ end: SessionEnd, _ bytes: [UInt8], _ random: inout SplitMix) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(rest.count, 400), using: &random)
            guard end.receive(Array(rest.prefix(count))) else { break }
            rest = rest.dropFirst(count)
            _ = end.output()
        }
        end.session.connectionLost(.reset)
    }

    private func conversation() -> (client: [UInt8], server: [UInt8]) {
        let client = SessionEnd(isServer: false)
        let server = SessionEnd(isServer: true)
        client.call([[1], [], [UInt8](repeating: 5, count: 300)])
        client.call([[9]])
        SessionEnd.converse(client, server)
        return (client.sent, server.sent)
    }

    @Test("random bytes never trap, and every call still ends once")
    func randomBytes() async {
        var clients: [SessionEnd] = []
        for seed in 0..<400 as Range<UInt64> {
            var random = SplitMix(seed: seed)
            let server = SessionEnd(isServer: true)
            feed(server, Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + random.bytes(200), &random)
            feed(SessionEnd(isServer: true), random.bytes(60), &random)
            let client = SessionEnd(isServer: false)
            client.call([[1]])
            _ = client.output()
            feed(client, random.bytes(200), &random)
            clients.append(client)
        }
        await expectEnds(1, of: clients)
    }

    @Test("frames of any type, flags, stream and content never trap")
    func randomFrames() async {
        var clients: [SessionEnd] = []
        for seed in 0..<300 as Range<UInt64> {
            var random = SplitMix(seed: seed)
            var frames: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
            for _ in 0..<20 {
                let payload = random.bytes(Int.random(in: 0...40, using: &random))
                frames += [0, 0, UInt8(payload.count), UInt8.random(in: 0...10, using: &random)]
                frames += [random.bytes(1)[0] & 0x2D, 0, 0, 0, UInt8.random(in: 0...5, using: &random)] + payload
            }
            feed(SessionEnd(isServer: true), Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frames, &random)
            let client = SessionEnd(isServer: false)
            client.call([[1]])
            client.call([], halfClose: false)
            _ = client.output()
            feed(client, frames, &random)
            clients.append(client)
        }
        await expectEnds(2, of: clients)
    }

    @Test("a real conversation with damaged bytes never traps")
    func mutations() async {
        var clients: [SessionEnd] = []
        let original = conversation()
        for seed in 0..<400 as Range<UInt64> {
            var random = SplitMix(seed: seed)
            feed(SessionEnd(isServer: true), random.mutated(original.client), &random)
            let client = SessionEnd(isServer: false)
            client.call([[1], [], [2]])
            client.call([[9]])
            _ = client.output()
            feed(client, random.mutated(original.server), &random)
            clients.append(client)
        }
        await expectEnds(2, of: clients)
    }
}
