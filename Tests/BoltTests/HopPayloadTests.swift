import Payments
import TestSupport
import Testing

@testable import Bolt

@Suite struct HopPayloadTests {
    static let secret = PaymentSecret(Bytes32(filledBy: { $0[0] = 7 }))
    static let payload = HopPayload(
        amount: Millisatoshis(1_000_000), outgoingExpiry: 800_144, paymentData: .init(secret: secret, total: Millisatoshis(3_000_000)),
        metadata: [1, 0xfa, 0xfa, 0xf0], customRecords: [.init(type: 5_482_373_484, value: [UInt8](repeating: 1, count: 32))])

    @Test("a final payload is written and read again")
    func roundTrip() throws {
        #expect(try HopPayload(decoding: Self.payload.encode().span, isFinal: true) == Self.payload)
        var forwarding = HopPayload(amount: .zero, outgoingExpiry: 0, shortChannelID: .max)
        #expect(try HopPayload(decoding: forwarding.encode().span, isFinal: false) == forwarding)
        forwarding.shortChannelID = nil
        #expect(failure(forwarding.encode(), isFinal: false) == .init(.missing, type: 6))
    }

    @Test("the last payload of BOLT 4's example is read")
    func example() throws {
        let frame = try #require(OnionVectors.hops.last.flatMap { Hex.decode($0.payload) })
        let payload = try HopPayload(decoding: frame.span.extracting(3..<frame.count), isFinal: true)
        #expect(payload.amount == Millisatoshis(10_000))
        #expect(payload.outgoingExpiry == 1000)
        #expect(payload.paymentData?.total == Millisatoshis(10_000))
        #expect(payload.paymentData?.secret.bytes.hex == "24a33562c54507a9334e79f0dc4f17d407e6d7c61f0e2f3d0d38599502f61704")
    }

    @Test("what is wrong with a payload is told with type and offset", arguments: [
        // Amount and expiry first, so that the record behind them begins at byte 6.
        ("0201010401020a00", .init(.unknownEven, type: 10, offset: 6)),
        ("0201010401020c00", .init(.unknownEven, type: 12, offset: 6)),
        ("0201010401020e00", .init(.unknownEven, type: 14, offset: 6)),
        ("0201010401021200", .init(.unknownEven, type: 18, offset: 6)),
        ("020101040102fd010000", .init(.unknownEven, type: 256, offset: 6)),
        ("02010104010206080000000000000001", .init(.unexpected, type: 6, offset: 6)),
        ("0201010401020803000000", .init(.malformedValue, type: 8, offset: 6)),
        ("020100040102", .init(.malformedValue, type: 2, offset: 0)),
        ("0209010000000000000000040102", .init(.malformedValue, type: 2, offset: 0)),
        ("02010104050100000000", .init(.malformedValue, type: 4, offset: 3)),
        ("040102", .init(.missing, type: 2)),
        ("020101", .init(.missing, type: 4)),
        ("", .init(.missing, type: 2)),
        ("020101020101", .init(.malformedStream, type: 2, offset: 3)),
        ("0401020201010401", .init(.malformedStream, type: 2, offset: 3)),
        ("020101fd", .init(.malformedStream, offset: 3)),
    ] as [(String, HopPayload.Failure)])
    func failures(hex: String, expected: HopPayload.Failure) throws {
        let bytes = try #require(Hex.decode(hex))
        #expect(failure(bytes, isFinal: true) == expected)
    }

    @Test("a payment's total must be in its shortest form")
    func total() {
        let head: [UInt8] = [2, 1, 1, 4, 1, 2, 8]
        let secret = [UInt8](repeating: 9, count: 32)
        #expect(failure(head + [33] + secret + [0], isFinal: true) == .init(.malformedValue, type: 8, offset: 6))
        #expect(failure(head + [41] + secret + [UInt8](repeating: 1, count: 9), isFinal: true) == .init(.malformedValue, type: 8, offset: 6))
        #expect(failure(head + [32] + secret, isFinal: true) == nil)
    }

    @Test("the failure names the record to the payer")
    func message() {
        let failure = HopPayload.Failure(.unknownEven, type: 10, offset: 70_000)
        #expect(failure.message == .invalidOnionPayload(type: 10, offset: .max))
    }

    @Test("random and altered payloads never trap, and what is read can be written")
    func fuzz() throws {
        var random = SeededGenerator(seed: 3)
        let genuine = Self.payload.encode()
        for round in 0..<10_000 {
            let bytes = round % 2 == 0 ? random.mutated(genuine) : random.bytes(Int.random(in: 0...60, using: &random))
            for isFinal in [true, false] {
                guard let payload = try? HopPayload(decoding: bytes.span, isFinal: isFinal) else { continue }
                #expect(try HopPayload(decoding: payload.encode().span, isFinal: isFinal) == payload)
            }
        }
    }

    private func failure(_ bytes: [UInt8], isFinal: Bool) -> HopPayload.Failure? {
        do {
            _ = try HopPayload(decoding: bytes.span, isFinal: isFinal)
            return nil
        } catch {
            return error
        }
    }
}
