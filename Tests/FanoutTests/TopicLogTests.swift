import Testing

@testable import Fanout

@Suite struct TopicLogTests {
    private func read(_ log: TopicLog, _ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        unsafe log.withBytes(range) { unsafe bytes.append(contentsOf: $0) }
        return bytes
    }

    @Test("a cursor reads what was appended after it")
    func reads() {
        var log = TopicLog(limit: 1 << 16)
        log.append(Frame.text(Array("one".utf8)))
        let cursor = log.end
        log.append(Frame.text(Array("two".utf8)))
        #expect(read(log, cursor..<log.end) == Frame.text(Array("two".utf8)))
        #expect(log.boundary(after: cursor, most: 1 << 16) == log.end)
        #expect(log.boundary(after: log.end, most: 1) == log.end)
    }

    @Test("a cursor that the log has passed is told so")
    func passed() {
        var log = TopicLog(limit: 100)
        for _ in 0..<10 { log.append(Frame.text([UInt8](repeating: 1, count: 28))) }
        #expect(log.start == 210 && log.end == 300)
        #expect(log.boundary(after: 0, most: 10) == nil)
        #expect(log.boundary(after: 301, most: 10) == nil)
        #expect(log.boundary(after: 210, most: 10) == 240)
        #expect(log.boundary(after: 210, most: 60) == 270)
        #expect(log.boundary(after: 210, most: 89) == 270)
    }

    @Test("a frame beyond the limit is missed by all and the log goes on")
    func oversize() {
        var log = TopicLog(limit: 64)
        log.append(Frame.text([1, 2]))
        log.append(Frame.text([UInt8](repeating: 9, count: 70)))
        #expect(log.start == log.end)
        let cursor = log.end
        log.append(Frame.text([3]))
        #expect(read(log, cursor..<log.end) == Frame.text([3]))
    }

    @Test("memory stays small when all have read")
    func trims() {
        var log = TopicLog(limit: 1 << 20)
        for _ in 0..<100_000 {
            log.append(Frame.text([UInt8](repeating: 1, count: 300)))
            log.trim(to: log.end)
        }
        #expect(log.capacity <= 4096)
    }

    @Test("what comes after all have read is lent in one piece, however often the memory has been filled")
    func onePiece() {
        var log = TopicLog(limit: 1 << 20)
        for _ in 0..<1000 {
            let cursor = log.end
            for _ in 0..<8 { log.append(Frame.text([UInt8](repeating: 1, count: 300))) }
            var pieces = 0
            unsafe log.withBytes(cursor..<log.end) { _ in pieces += 1 }
            #expect(pieces == 1)
            log.trim(to: log.end)
        }
    }

    @Test("any mix of frames, trims and cursors reads exactly what was appended", arguments: 0..<20)
    func fuzz(seed: Int) {
        var random = Seeded(seed: UInt64(seed))
        var log = TopicLog(limit: [300, 1000, 5000, 80_000][seed % 4])
        var all: [UInt8] = []
        var boundaries: Set<Int> = [0]
        var cursor = 0
        for _ in 0..<400 {
            let size = [Int.random(in: 0...20, using: &random), 125, 126, 290, Int.random(in: 0..<2000, using: &random)].randomElement(using: &random)!
            let frame = Frame.text((0..<size).map { _ in UInt8.random(in: 0...255, using: &random) })
            log.append(frame)
            all += frame
            boundaries.insert(all.count)
            #expect(log.end == all.count && log.end - log.start <= log.limit)
            #expect(boundaries.contains(log.start))
            if Int.random(in: 0..<3, using: &random) > 0 {
                if let next = log.boundary(after: cursor, most: Int.random(in: 1..<3000, using: &random)) {
                    #expect(boundaries.contains(next) && (next > cursor || cursor == log.end))
                    #expect(read(log, cursor..<next) == Array(all[cursor..<next]))
                    cursor = next
                } else {
                    #expect(cursor < log.start)
                    cursor = log.end
                }
            }
            if Int.random(in: 0..<10, using: &random) == 0 { log.trim(to: cursor) }
        }
    }
}

/// SplitMix64: the same numbers on every run.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
