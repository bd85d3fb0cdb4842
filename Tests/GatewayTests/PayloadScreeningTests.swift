import Bolt
import Gateway
import Keys
import Payments
import TestSupport
import Testing

@Suite struct PayloadScreeningTests {
    let invoice = PaidInvoice()
    let screening = PaidInvoice.screening()

    @Test("a malformed payload is told with the record at fault", arguments: [
        (payload: [4, 1, 50] as [UInt8], type: 2 as UInt64, offset: 0 as UInt16),
        ([2, 1, 50], 4, 0),
        ([2, 1, 50, 4, 1, 50, 10, 0], 10, 6),
        ([2, 1, 50, 4, 1, 50, 6, 8, 0, 0, 0, 0, 0, 0, 0, 1], 6, 6),
        ([2, 1, 50, 4, 1, 50, 8, 1, 1], 8, 6),
        ([2, 2, 0, 50, 4, 1, 50], 2, 0),
    ])
    func malformed(_ payload: [UInt8], _ type: UInt64, _ offset: UInt16) {
        let (packet, sharedSecret) = invoice.onion(payload)
        let verdict = screening.judge(invoice.htlc(onion: packet))
        #expect(verdict.failure == .invalidOnionPayload(type: type, offset: offset))
        #expect(verdict.sharedSecret == sharedSecret)
    }

    @Test("a genuine onion whose payload has no valid length is told as an invalid payload without a place")
    func payloadWithoutLength() {
        let payload = invoice.payload().encode()
        var (packet, sharedSecret) = invoice.onion(payload)
        packet[34] ^= UInt8(payload.count)
        let mu = LibCrypto.hmacSHA256(key: Array("mu".utf8).span, sharedSecret.storage.span)
        let hmac = LibCrypto.hmacSHA256(key: mu.storage.span, packet.span.extracting(34..<1334), invoice.issued.paymentHash.bytes.storage.span)
        packet.replaceSubrange(1334..., with: hmac.array)
        let verdict = screening.judge(invoice.htlc(onion: packet))
        #expect(verdict.failure == .invalidOnionPayload(type: 0, offset: 0))
        #expect(verdict.sharedSecret == sharedSecret)
    }

    @Test("random packets get a verdict, and never an offer")
    func randomPackets() {
        var random = SeededGenerator(seed: 1)
        for round in 0..<300 {
            var packet = random.bytes(round.isMultiple(of: 7) ? Int.random(in: 0...2000, using: &random) : 1366)
            // Most of them get past the first questions.
            if packet.count > 1, round & 1 == 0 { (packet[0], packet[1]) = (0, 2 + packet[1] & 1) }
            #expect(screening.judge(invoice.htlc(onion: packet)).badOnion != nil)
        }
    }

    @Test("mutated onions of a payment get a verdict, and never an offer")
    func mutatedPackets() {
        var random = SeededGenerator(seed: 2)
        let packet = invoice.onion(invoice.payload().encode()).packet
        for _ in 0..<300 {
            let mutated = random.mutated(packet)
            guard mutated != packet else { continue }
            #expect(screening.judge(invoice.htlc(onion: mutated)).badOnion != nil)
        }
    }

    @Test("random and mutated payloads in genuine onions get a verdict; an offer is only made for the invoice's own secret")
    func randomPayloads() {
        var random = SeededGenerator(seed: 3)
        let good = invoice.payload().encode()
        for round in 0..<300 {
            let payload = round & 1 == 0 ? random.bytes(Int.random(in: 2...1200, using: &random)) : random.mutated(good)
            guard payload.count > 1 else { continue }
            let verdict = screening.judge(invoice.htlc(onion: invoice.onion(payload).packet))
            #expect(verdict.badOnion == nil)
            if verdict.offer != nil {
                let read = try? HopPayload(decoding: payload.span, isFinal: true)
                #expect(read?.paymentData?.secret == invoice.issued.secret)
            }
        }
    }
}
