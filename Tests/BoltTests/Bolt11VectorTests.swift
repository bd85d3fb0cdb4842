import Keys
import Payments
import TestSupport
import Testing

@testable import Bolt

@Suite struct Bolt11VectorTests {
    let identity: IdentityKey

    init() throws {
        identity = try #require(Bytes32(hex: Bolt11Vectors.privateKey).flatMap(IdentityKey.init))
    }

    @Test("the valid examples of BOLT 11 are read", arguments: Bolt11Vectors.valid)
    func valid(name: String, text: String) throws {
        let invoice = try Bolt11Invoice(decoding: text, by: LibCrypto.self)
        #expect(invoice.payee.hex == Bolt11Vectors.payee || name == "high S")
        #expect(invoice.paymentSecret.bytes == Bytes32(repeatElement(0x11, count: 32).map { $0 }))
        if name != "pico-bitcoin with a private way" {
            #expect(invoice.paymentHash.description == Bolt11Vectors.paymentHash)
            #expect(invoice.timestamp == UnixTime(seconds: Bolt11Vectors.timestamp))
        }
    }

    @Test("the valid examples are written again byte for byte from their fields, signature included", arguments: Bolt11Vectors.valid)
    func rebuild(name: String, text: String) throws {
        let invoice = try Bolt11Invoice(decoding: text, by: LibCrypto.self)
        var writer = Bolt11Writer(
            prefix: Bolt11Prefix(network: invoice.network, amount: invoice.amount), timestamp: UInt64(invoice.timestamp.seconds))
        for field in invoice.fields {
            let fits = writer.append(field)
            #expect(fits)
        }
        // The example with high S was not made by a signer that follows the rules.
        let again = writer.finish(by: LibCrypto.self) { name == "high S" ? invoice.signature : identity.sign(digest: $0) }
        #expect(again == text.lowercased())
    }

    @Test("the invalid examples are refused for what is wrong with them", arguments: Bolt11Vectors.invalid)
    func invalid(name: String, failure: Bolt11Invoice.Failure, text: String) {
        #expect(throws: failure) { try Bolt11Invoice(decoding: text, by: LibCrypto.self) }
    }

    @Test("amounts, texts and times are those of the examples")
    func contents() throws {
        let invoices = try Bolt11Vectors.valid.map { try Bolt11Invoice(decoding: $0.text, by: LibCrypto.self) }
        let amounts: [UInt64?] = [
            nil, 250_000_000, 250_000_000, 2_000_000_000, 2_000_000_000, 2_000_000_000, 2_000_000_000, 2_000_000_000, 2_000_000_000,
            2_000_000_000, 967_878_534, 2_500_000_000, 2_500_000_000, 2_500_000_000, 1_000_000_000, nil,
        ]
        #expect(invoices.map { $0.amount?.value } == amounts)
        #expect(invoices[0].description == .text("Please consider supporting this project"))
        #expect(invoices[0].expiry == 3600)
        #expect(invoices[0].minFinalCLTVExpiry == 18)
        #expect(invoices[1].description == .text("1 cup coffee"))
        #expect(invoices[1].expiry == 60)
        #expect(invoices[1].expiresAt == UnixTime(seconds: Bolt11Vectors.timestamp + 60))
        #expect(invoices[2].description == .text("ナンセンス 1杯"))
        #expect(invoices[3].description == .hash(try #require(Bytes32(hex: "3925b6f67e2c340036ed12093dd44e0368df1b6ea26c53dbe4811f58fd5db8c1"))))
        #expect(invoices[4].network == .testnet)
        #expect(invoices[4].fields.contains(.fallback(version: 17, program: try #require(Hex.decode("3172b5654f6683c8fb146959d347ce303cae4ca7")))))
        #expect(invoices[10].minFinalCLTVExpiry == 10)
        #expect(invoices[10].expiry == 604_800)
        #expect(invoices[11].features == FeatureBits([8, 14, 99]))
        #expect(invoices[11].fields == invoices[12].fields)
        #expect(invoices[14].metadata == [0x01, 0xfa, 0xfa, 0xf0])
        #expect(invoices[14].features == FeatureBits([8, 14, 48]))
    }

    @Test("ways to the payee are read hop by hop")
    func routeHints() throws {
        let invoice = try Bolt11Invoice(decoding: Bolt11Vectors.valid[5].text, by: LibCrypto.self)
        let hop = HopHint(
            node: try #require(PublicKey(hex: "029e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255")),
            shortChannelID: 66_051 << 40 | 263_430 << 16 | 1800, feeBase: 1, feePPM: 20, cltvDelta: 3)
        let next = HopHint(
            node: try #require(PublicKey(hex: "039e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255")),
            shortChannelID: 197_637 << 40 | 395_016 << 16 | 2314, feeBase: 2, feePPM: 30, cltvDelta: 4)
        #expect(invoice.routeHints == [[hop, next]])
    }

    @Test("a draft makes the first examples byte for byte")
    func draft() throws {
        // The examples leave out what a draft always writes, so they are compared without those fields.
        let invoice = try Bolt11Invoice(decoding: Bolt11Vectors.valid[1].text, by: LibCrypto.self)
        let draft = Bolt11Draft(
            network: .mainnet, amount: invoice.amount, timestamp: invoice.timestamp, paymentHash: invoice.paymentHash,
            paymentSecret: invoice.paymentSecret, description: invoice.description, expiry: 60, minFinalCLTVExpiry: 80, features: invoice.features)
        let made = try Bolt11Invoice(decoding: draft.encode(by: LibCrypto.self, sign: identity.sign), by: LibCrypto.self)
        #expect(made.fields.filter { $0 != .minFinalCLTVExpiry(80) } == invoice.fields)
    }

    @Test("random and altered texts never trap, and altered ones are not taken for genuine")
    func fuzz() throws {
        var random = SeededGenerator(seed: 8)
        let texts = Bolt11Vectors.valid.map { Array($0.text.utf8) }
        for round in 0..<800 {
            let genuine = texts[round % texts.count]
            let text = String(decoding: random.mutated(genuine), as: UTF8.self)
            if text.lowercased() == String(decoding: genuine, as: UTF8.self).lowercased() { continue }
            #expect(throws: Bolt11Invoice.Failure.self) { try Bolt11Invoice(decoding: text, by: LibCrypto.self) }
        }
        // With a right checksum, so that what is behind it is reached too.
        for round in 0..<800 {
            var bech32 = try Bech32(decoding: Bolt11Vectors.valid[round % 16].text)
            bech32.groups = random.mutated(bech32.groups).map { $0 & 31 }
            if round % 5 == 0 { bech32.prefix = random.mutated(bech32.prefix).map { max(33, $0 & 127) } }
            _ = try? Bolt11Invoice(decoding: bech32.encode(), by: LibCrypto.self)
        }
    }
}
