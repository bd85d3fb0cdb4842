import Bolt
import Gateway
import Keys
import LND
import Payments
import Testing

@Suite struct ScreeningTests {
    let invoice = PaidInvoice()
    let screening = PaidInvoice.screening()
    let unknown = FailureMessage.incorrectOrUnknownPaymentDetails(amount: PaidInvoice.amount, height: PaidInvoice.height)

    @Test("the right payment secret makes an offer of the invoice's own terms, preimage and the HTLC's amounts")
    func offer() throws {
        let (packet, sharedSecret) = invoice.onion(invoice.payload(total: Millisatoshis(70_000)).encode())
        let verdict = screening.judge(invoice.htlc(onion: packet))
        let offer = try #require(verdict.offer)
        #expect(offer.paymentHash == invoice.issued.paymentHash)
        #expect(offer.terms == invoice.terms)
        #expect(offer.preimage == invoice.issued.preimage)
        #expect(offer.refusal == nil)
        #expect(offer.htlc == HeldHTLC(
            circuitKey: PaidInvoice.circuit, amount: Millisatoshis(50_000), total: Millisatoshis(70_000), incomingExpiry: 900_180,
            outgoingExpiry: 900_100, autoFailHeight: 900_161, isOnChain: false, fee: Millisatoshis(1_005)))
        #expect(verdict.sharedSecret == sharedSecret)
    }

    @Test("terms come back as they were issued", arguments: [
        InvoiceTerms(amount: nil, expiresAt: UnixTime(seconds: 5), settlement: .hold, isStored: true),
        InvoiceTerms(amount: Millisatoshis(1), expiresAt: UnixTime(seconds: 253_402_300_799), settlement: .hold, isStored: false),
        InvoiceTerms(amount: .supply, expiresAt: UnixTime(seconds: 0), settlement: .auto, isStored: true),
    ])
    func terms(_ terms: InvoiceTerms) {
        #expect(screening.judge(PaidInvoice(terms).htlc()).offer?.terms == terms)
    }

    @Test("an HTLC on chain is still an offer: what was settled before must be settled there")
    func onChain() throws {
        let offer = try #require(screening.judge(invoice.htlc(autoFailHeight: 0)).offer)
        #expect(offer.htlc.isOnChain)
        #expect(offer.refusal == nil)
    }

    @Test("an HTLC that carries and lasts more than its onion says is an offer of what it really carries")
    func generousHTLC() throws {
        let htlc = invoice.htlc(incomingAmount: 80_000, incomingExpiry: 900_300, outgoingAmount: 60_000, outgoingExpiry: 900_110)
        let offer = try #require(screening.judge(htlc).offer)
        #expect(offer.refusal == nil)
        #expect(offer.htlc.amount == Millisatoshis(60_000))
        #expect(offer.htlc.outgoingExpiry == 900_110)
    }

    @Test("a payment secret that is not ours is told like any unknown payment")
    func wrongSecret() {
        for index in [0, 1, 17, 18, 31] {
            var secret = invoice.issued.secret
            secret.bytes[index] ^= 1
            let (packet, sharedSecret) = invoice.onion(invoice.payload(secret: secret).encode())
            let verdict = screening.judge(invoice.htlc(onion: packet))
            #expect(verdict.failure == unknown)
            #expect(verdict.sharedSecret == sharedSecret)
        }
    }

    @Test("our secret for one payment hash does not open another")
    func secretOfAnotherInvoice() {
        let other = PaidInvoice(random: 5)
        let packet = invoice.onion(invoice.payload().encode(), hash: other.issued.paymentHash).packet
        #expect(screening.judge(invoice.htlc(onion: packet, hash: other.issued.paymentHash)).failure == unknown)
    }

    @Test("a payment without a payment secret is told like any unknown payment")
    func noPaymentData() {
        let payload = HopPayload(amount: PaidInvoice.amount, outgoingExpiry: PaidInvoice.expiry)
        #expect(screening.judge(invoice.htlc(onion: invoice.onion(payload.encode()).packet)).failure == unknown)
    }

    @Test("the onion belongs to its payment hash: under another the HMAC is wrong")
    func alteredHash() {
        var hash = invoice.issued.paymentHash
        hash.bytes[31] ^= 1
        #expect(screening.judge(invoice.htlc(hash: hash)).badOnion == .hmac)
    }

    @Test("any altered byte behind the key is a wrong HMAC", arguments: [34, 35, 700, 1333, 1334, 1365])
    func alteredByte(_ index: Int) {
        var packet = invoice.onion(invoice.payload().encode()).packet
        packet[index] ^= 0x80
        #expect(screening.judge(invoice.htlc(onion: packet)).badOnion == .hmac)
    }

    @Test("another version, and another length, is a wrong version")
    func version() {
        let packet = invoice.onion(invoice.payload().encode()).packet
        #expect(screening.judge(invoice.htlc(onion: [1] + packet.dropFirst())).badOnion == .version)
        #expect(screening.judge(invoice.htlc(onion: packet.dropLast())).badOnion == .version)
        #expect(screening.judge(invoice.htlc(onion: packet + [0])).badOnion == .version)
        #expect(screening.judge(invoice.htlc(onion: [])).badOnion == .version)
    }

    @Test("an ephemeral key that has not the form of a point, or is none, is a wrong key")
    func key() {
        var packet = invoice.onion(invoice.payload().encode()).packet
        packet[1] = 5
        #expect(screening.judge(invoice.htlc(onion: packet)).badOnion == .key)
        packet.replaceSubrange(1..<34, with: [2] + [UInt8](repeating: 0xff, count: 32))
        #expect(screening.judge(invoice.htlc(onion: packet)).badOnion == .key)
    }

    @Test("an onion for another node than the virtual one has a wrong HMAC")
    func anotherNode() {
        let packet = Onion.build(
            route: [.init(key: PaidInvoice.node, payload: invoice.payload().encode())], sessionKey: Bytes32(repeatElement(0x41, count: 32))!,
            associatedData: invoice.issued.paymentHash, by: LibCrypto.self)!.packet
        #expect(screening.judge(invoice.htlc(onion: packet)).badOnion == .hmac)
    }

    @Test("nobody is behind the virtual node: a payload for a further hop has no next peer")
    func furtherHop() {
        let further = Onion.Hop(key: PaidInvoice.node, payload: invoice.payload().encode())
        var payload = invoice.payload()
        payload.shortChannelID = 7
        let (packet, sharedSecret) = invoice.onion(payload.encode(), before: [further])
        let verdict = screening.judge(invoice.htlc(onion: packet))
        #expect(verdict.failure == .unknownNextPeer)
        #expect(verdict.sharedSecret == sharedSecret)
    }
}
