import Testing

@testable import Fanout

@Suite struct FrameTests {
    @Test("a text frame is final, unmasked and says its length in the shortest way", arguments: [
        (0, [0x81, 0]), (125, [0x81, 125]), (126, [0x81, 126, 0, 126]), (65535, [0x81, 126, 255, 255]),
        (65536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] as [(Int, [UInt8])])
    func lengths(count: Int, header: [UInt8]) {
        let frame = Frame.text([UInt8](repeating: 0x61, count: count))
        #expect(Array(frame.prefix(header.count)) == header)
        #expect(frame.count == header.count + count)
        #expect(Frame.headerBytes(payload: count) == header.count)
    }

    @Test("a close frame carries code and reason and stays a control frame")
    func close() {
        #expect(Frame.close(3008, "slow") == [0x88, 6, 0x0B, 0xC0] + Array("slow".utf8))
        let long = Frame.close(3500, String(repeating: "ä", count: 200))
        #expect(long[1] == 124 && long.count == 126)
        #expect(String(validating: long[4...], as: UTF8.self) != nil)
    }

    @Test("is the same when it is written into memory that is used again", arguments: [0, 1, 125, 126, 65_535, 65_536, 80_000])
    func writtenInPlace(count: Int) {
        var bytes = [UInt8](repeating: 9, count: 300)
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        Frame.text(into: &bytes) { $0 += payload }
        #expect(bytes == Frame.text(payload))
    }
}
