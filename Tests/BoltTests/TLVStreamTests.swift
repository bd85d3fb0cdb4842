import Keys
import Payments
import TestSupport
import Testing

@testable import Bolt

@Suite struct TLVStreamTests {
    /// Not a stream in any namespace (BOLT 1, appendix B).
    static let malformed = [
        "fd",
        "fd01",
        "fd000100",
        "fd0101",
        "0ffd",
        "0ffd26",
        "0ffd2602",
        "0ffd000100",
    ]
    static let unknownEven = [
        "1200",
        "fd010200",
        "fe0100000200",
        "ff010000000000000200",
    ]
    static let ignored = [
        "",
        "2100",
        "fd020100",
        "fd00fd00",
        "fd00ff00",
        "fe0200000100",
        "ff020000000000000100",
    ]
    /// Not valid in BOLT 1's namespace n1.
    static let invalid = [
        "0109ffffffffffffffffff",
        "010100",
        "01020001",
        "0103000100",
        "010400010000",
        "01050001000000",
        "0106000100000000",
        "010700010000000000",
        "01080001000000000000",
        "020701010101010101",
        "0209010101010101010101",
        "0321023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb",
        "0329023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb0000000000000001",
        "0330023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb000000000000000100000000000001",
        "0331043da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb00000000000000010000000000000002",
        "0332023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb0000000000000001000000000000000001",
        "fd00fe00",
        "fd00fe0101",
        "fd00fe03010101",
        "0000",
        "0208000000000000022601012a",
        "0208000000000000023102080000000000000451",
        "1f000f012a",
        "1f001f012a",
    ]

    @Test("a malformed stream is refused", arguments: malformed)
    func refusesMalformed(hex: String) throws {
        #expect(throws: TLVStream.Failure.self) { try stream(hex) { _ in true } }
    }

    @Test("a value longer than the rest is refused")
    func truncatedValue() throws {
        let bytes: [UInt8] = [0x0f, 0xfd, 0x02, 0x01] + [UInt8](repeating: 0, count: 0x200)
        #expect(throws: TLVStream.Failure.truncated(offset: 0)) { try TLVStream(decoding: bytes.span) { _ in true } }
        #expect(throws: Never.self) { try TLVStream(decoding: (bytes + [0]).span) { _ in true } }
    }

    @Test("an unknown even type is refused", arguments: unknownEven)
    func refusesUnknownEven(hex: String) throws {
        #expect(throws: TLVStream.Failure.self) { try stream(hex) { _ in false } }
        #expect(throws: Never.self) { try stream(hex) { _ in true } }
    }

    @Test("unknown odd types are kept and written again", arguments: ignored)
    func keepsUnknownOdd(hex: String) throws {
        #expect(Hex.encode(try stream(hex) { _ in false }.encode()) == hex)
    }

    @Test("namespace n1 refuses wrong lengths, wrong forms and wrong orders", arguments: invalid)
    func namespaceRefuses(hex: String) throws {
        #expect(throws: (any Error).self) { try N1(hex) }
    }

    @Test("types that descend are refused whatever their width")
    func descending() throws {
        let bytes = try #require(Hex.decode("ffffffffffffffffff000000"))
        #expect(throws: TLVStream.Failure.notAscending(type: 0, offset: 10)) { try TLVStream(decoding: bytes.span) { _ in true } }
    }

    @Test("namespace n1 reads its amounts", arguments: [
        ("0100", 0), ("010101", 1), ("01020100", 256), ("0103010000", 65_536), ("010401000000", 16_777_216),
        ("01050100000000", 4_294_967_296), ("0106010000000000", 1_099_511_627_776), ("010701000000000000", 281_474_976_710_656),
        ("01080100000000000000", 72_057_594_037_927_936),
    ] as [(String, UInt64)])
    func amounts(hex: String, amount: UInt64) throws {
        #expect(try N1(hex).amount == amount)
        var value = [UInt8]()
        BigEndian.appendTruncated(amount, to: &value)
        #expect(Hex.encode(TLVStream([.init(type: 1, value: value)]).encode()) == hex)
    }

    @Test("namespace n1 reads its other fields", arguments: ["02080000000000000226", "0331023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb00000000000000010000000000000002", "fd00fe020226"])
    func otherFields(hex: String) throws {
        let bytes = try #require(Hex.decode(hex))
        #expect(throws: Never.self) { try N1(hex) }
        #expect(try TLVStream(decoding: bytes.span) { _ in true }.encode() == bytes)
    }

    @Test("random streams are refused or written again as they were")
    func fuzz() throws {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<10_000 {
            var bytes = random.bytes(Int.random(in: 0...40, using: &random))
            if Bool.random(using: &random) {
                let records = (0..<4).map { _ in
                    TLVStream.Record(type: UInt64.random(in: 0...300, using: &random), value: random.bytes(Int.random(in: 0...6, using: &random)))
                }
                bytes = random.mutated(TLVStream(records).encode())
            }
            guard let stream = try? TLVStream(decoding: bytes.span, isKnown: { $0 % 4 == 0 }) else { continue }
            #expect(stream.encode() == bytes)
        }
    }

    private func stream(_ hex: String, isKnown: (UInt64) -> Bool) throws -> TLVStream {
        let bytes = try #require(Hex.decode(hex))
        return try TLVStream(decoding: bytes.span, isKnown: isKnown)
    }
}

/// The namespace that BOLT 1's examples are in, read with the parts that real payloads are read with.
private struct N1 {
    struct Malformed: Error {}
    var amount: UInt64?

    init(_ hex: String) throws {
        let bytes = try #require(Hex.decode(hex))
        for record in try TLVStream(decoding: bytes.span, isKnown: { [1, 2, 3, 254].contains($0) }).records {
            let value = record.value
            switch record.type {
            case 1:
                guard let number = BigEndian.truncatedInteger(value.span, value.indices, limit: 8) else { throw Malformed() }
                amount = number
            case 2: guard value.count == 8 else { throw Malformed() }
            case 3:
                guard value.count == 49, let key = PublicKey(value[..<33]), LibCrypto.isOnCurve(key) else { throw Malformed() }
            case 254: guard value.count == 2 else { throw Malformed() }
            default: continue
            }
        }
    }
}
