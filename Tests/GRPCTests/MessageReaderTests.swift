import Testing

@testable import GRPC

@Suite("Cutting bytes into messages")
struct MessageReaderTests {
    private func framed(_ messages: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        for message in messages {
            bytes += [0, 0, 0, UInt8(message.count >> 8), UInt8(message.count & 0xFF)]
            bytes += message
        }
        return bytes
    }

    private func read(_ reader: inout MessageReader, _ bytes: [UInt8]) throws -> [[UInt8]] {
        var position = 0
        var messages: [[UInt8]] = []
        while let message = try reader.next(in: bytes.span, from: &position) { messages.append(message) }
        return messages
    }

    @Test("the cuts of the transport make no difference", arguments: 0..<40 as Range<UInt64>)
    func cuts(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let messages = (0..<30).map { _ in random.bytes(Int.random(in: 0...70, using: &random)) }
        var rest = framed(messages)[...]
        var reader = MessageReader(maximumBytes: 100)
        var received: [[UInt8]] = []
        while !rest.isEmpty {
            let count = Int.random(in: 0...min(90, rest.count), using: &random)
            received += try read(&reader, Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        #expect(received == messages)
        #expect(!reader.isInsideMessage)
    }

    @Test("a compressed message is refused")
    func compressed() {
        var reader = MessageReader(maximumBytes: 100)
        #expect(throws: MessageReader.Failure.compressed) { try read(&reader, [1, 0, 0, 0, 0]) }
    }

    @Test("a message above the limit is refused by its length alone")
    func tooLong() {
        var reader = MessageReader(maximumBytes: 100)
        #expect(throws: MessageReader.Failure.tooLong(101)) { try read(&reader, [0, 0, 0, 0, 101]) }
        var largest = MessageReader(maximumBytes: 100)
        #expect(throws: MessageReader.Failure.tooLong(0xFFFF_FFFF)) { try read(&largest, [0, 255, 255, 255, 255]) }
    }

    @Test("random bytes give messages or a refusal, never a trap", arguments: 0..<100 as Range<UInt64>)
    func fuzz(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var reader = MessageReader(maximumBytes: 1000)
        for _ in 0..<20 {
            var bytes = random.bytes(Int.random(in: 0...50, using: &random))
            if !bytes.isEmpty { bytes[0] = 0 }
            guard (try? read(&reader, bytes)) != nil else { return }
        }
    }

    @Test("what is framed for sending is read back, however much fits at a time")
    func outgoing() throws {
        var random = SplitMix(seed: 1)
        let messages = (0..<50).map { _ in random.bytes(Int.random(in: 0...300, using: &random)) }
        var outgoing = OutgoingMessages()
        for message in messages { outgoing.append(message) }
        var reader = MessageReader(maximumBytes: 1000)
        var received: [[UInt8]] = []
        while outgoing.count > 0 {
            var buffer = [UInt8](repeating: 0, count: Int.random(in: 1...100, using: &random))
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe outgoing.take(into: $0) }
            received += try read(&reader, Array(buffer.prefix(count)))
        }
        #expect(received == messages)
    }
}
