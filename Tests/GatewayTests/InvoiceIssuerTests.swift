import Bolt
import Gateway
import Keys
import LND
import Payments
import Testing

@Suite struct InvoiceIssuerTests {
    private static let now = UnixTime(milliseconds: 1_700_000_000_987)
    private let nodes = [2, 3].map { (number: UInt8) in
        let key = IdentityKey(Bytes32(repeatElement(number, count: 32))!)!.publicKey
        return (pubkey: key, chanID: VirtualChannel.id(of: key))
    }

    private func issuer(_ network: Network = .regtest, routing: RoutingPolicy = .init(cltvDelta: 70, feeBase: Millisatoshis(11), feePPM: 12)) -> InvoiceIssuer {
        let settings = GatewaySettings(
            network: network, publicURL: "https://pay.example", nodes: [], routing: routing, finalCLTVDelta: 90, instance: "a", version: "0")
        return InvoiceIssuer(settings: settings, identity: PaidInvoice.identity, secrets: PaidInvoice.secrets)
    }

    private func wished(
        _ amount: Millisatoshis? = Millisatoshis(21_000), _ settlement: InvoiceTerms.Settlement = .auto, isStored: Bool = false
    ) -> InvoiceIssuer.Wish {
        .init(amount: amount, description: .text("Tea"), expirySeconds: 600, settlement: settlement, isStored: isStored)
    }

    private func issue(_ wish: InvoiceIssuer.Wish, by issuer: InvoiceIssuer? = nil, random: UInt8 = 1) throws -> InvoiceRecord {
        try (issuer ?? self.issuer()).issue(wish, account: 6, through: nodes, at: Self.now, random: Bytes32(repeatElement(random, count: 32))!)
    }

    private func read(_ record: InvoiceRecord) throws -> Bolt11Invoice {
        try Bolt11Invoice(decoding: record.paymentRequest, by: LibCrypto.self)
    }

    @Test("an invoice is the virtual node's and says what was wished")
    func contents() throws {
        let record = try issue(wished())
        let invoice = try read(record)
        #expect(invoice.payee == PaidInvoice.identity.publicKey)
        #expect(invoice.amount == Millisatoshis(21_000))
        #expect(invoice.description == .text("Tea"))
        #expect(invoice.timestamp == UnixTime(seconds: 1_700_000_000))
        #expect(invoice.expiry == 600)
        #expect(invoice.minFinalCLTVExpiry == 90)
        #expect(invoice.features == .payable)
        #expect(invoice.paymentHash == record.paymentHash)
    }

    @Test("each network has its own invoices", arguments: Network.allCases)
    func network(_ network: Network) throws {
        let invoice = try read(issue(wished(), by: issuer(network)))
        #expect(invoice.network == network)
    }

    @Test("an invoice has one hint for each node, in their order, with the routing policy")
    func hints() throws {
        let invoice = try read(issue(wished()))
        #expect(invoice.routeHints == nodes.map {
            [HopHint(node: $0.pubkey, shortChannelID: $0.chanID, feeBase: 11, feePPM: 12, cltvDelta: 70)]
        })
    }

    @Test("a base fee that BOLT 11 cannot express is written as the most it can")
    func hugeFee() throws {
        let invoice = try read(issue(wished(), by: issuer(routing: .init(feeBase: Millisatoshis(.max)))))
        #expect(invoice.routeHints.first?.first?.feeBase == .max)
    }

    @Test("the payment secret opens again to the record's terms, and its preimage is that of the hash", arguments: [
        (nil, .auto, false), (nil, .hold, true), (Millisatoshis(1), .auto, true), (.supply, .hold, false),
    ] as [(Millisatoshis?, InvoiceTerms.Settlement, Bool)])
    func secretOpens(_ amount: Millisatoshis?, _ settlement: InvoiceTerms.Settlement, _ isStored: Bool) throws {
        let record = try issue(wished(amount, settlement, isStored: isStored))
        let invoice = try read(record)
        #expect(invoice.amount == amount)
        let terms = InvoiceTerms(
            amount: amount, expiresAt: UnixTime(seconds: 1_700_000_600), settlement: settlement, isStored: isStored, account: 6)
        #expect(record.terms == terms)
        let opened = try #require(PaidInvoice.secrets.open(invoice.paymentSecret, for: invoice.paymentHash))
        #expect(opened.terms == record.terms)
        #expect(PaymentHash(LibCrypto.sha256(opened.preimage.bytes.storage.span)) == record.paymentHash)
        #expect(invoice.expiresAt == record.terms.expiresAt)
    }

    @Test("a new record is open, unpaid and without its preimage")
    func record() throws {
        var wish = wished()
        wish.metadata = #"{"order":1}"#
        let record = try issue(wish)
        #expect(record.account == 6)
        #expect(record.state == .open)
        #expect(record.received == .zero)
        #expect(record.preimage == nil)
        #expect(record.setID == nil)
        #expect(record.metadata == wish.metadata)
        #expect(record.description == wish.description)
        #expect(record.createdAt == UnixTime(seconds: 1_700_000_000))
    }

    @Test("other randomness is another payment")
    func randomness() throws {
        let first = try issue(wished())
        #expect(try issue(wished()) == first)
        #expect(try issue(wished(), random: 2).paymentHash != first.paymentHash)
    }

    @Test("a description by its hash is written as such")
    func descriptionHash() throws {
        var wish = wished()
        wish.description = .hash(Bytes32(repeatElement(8, count: 32))!)
        #expect(try read(issue(wish)).description == wish.description)
    }

    @Test("what BOLT 11 cannot express is refused")
    func refused() {
        #expect(throws: Bolt11Draft.Failure.amount) { try issue(wished(.zero)) }
        #expect(throws: Bolt11Draft.Failure.amount) { try issue(wished(Millisatoshis(.max))) }
        var wish = wished()
        wish.description = .text(String(repeating: "x", count: 640))
        #expect(throws: Bolt11Draft.Failure.descriptionTooLong) { try issue(wish) }
    }
}
