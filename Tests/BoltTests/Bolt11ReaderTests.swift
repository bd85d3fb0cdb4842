import Keys
import Payments
import Testing

@testable import Bolt

/// One test for each rule of a strict reader.
@Suite struct Bolt11ReaderTests {
    static let hash = Bytes32(filledBy: { $0[0] = 1 })
    static let secret = Bytes32(filledBy: { $0[0] = 2 })
    static let p = Bolt11Field.paymentHash(PaymentHash(hash))
    static let s = Bolt11Field.paymentSecret(PaymentSecret(secret))
    static let d = Bolt11Field.description("tea")
    static let h = Bolt11Field.descriptionHash(Bytes32())
    static let features = Bolt11Field.features(.payable)
    static let whole = [s, p, d, features]

    let identity: IdentityKey
    let other: IdentityKey

    init() throws {
        identity = try #require(Bytes32(hex: Bolt11Vectors.privateKey).flatMap(IdentityKey.init))
        other = try #require(IdentityKey(Self.secret))
    }

    @Test("what is missing or ambiguous is refused", arguments: [
        ([s, d, features], .paymentHashMissing),
        ([s, d, features, .unknown(tag: 1, groups: [UInt8](repeating: 0, count: 51))], .paymentHashMissing),
        ([p, d, features], .paymentSecretMissing),
        ([s, p, features], .description),
        ([s, p, d, h, features], .description),
        ([s, p, d, d, features], .description),
        ([s, p, p, d, features], .duplicate),
        ([s, s, p, d, features], .duplicate),
        ([s, p, d], .featuresMissing),
        ([s, p, d, .features(FeatureBits([8, 17]))], .featureDependency),
        ([s, p, d, .features(FeatureBits([8, 14, 18]))], .unknownFeature(18)),
        (whole + [.unknown(tag: 6, groups: [])], .expiry),
        (whole + [.unknown(tag: 6, groups: [16] + [UInt8](repeating: 0, count: 12))], .expiry),
        (whole + [.unknown(tag: 24, groups: [])], .minFinalCLTVExpiry),
        (whole + [.unknown(tag: 13, groups: [31, 31])], .descriptionText),
        (whole + [.unknown(tag: 3, groups: [UInt8](repeating: 0, count: 80))], .route),
        (whole + [.unknown(tag: 19, groups: [UInt8](repeating: 0, count: 53))], .payee),
    ] as [([Bolt11Field], Bolt11Invoice.Failure)])
    func refused(fields: [Bolt11Field], failure: Bolt11Invoice.Failure) {
        let text = invoice(fields)
        #expect(throws: failure) { try Bolt11Invoice(decoding: text, by: LibCrypto.self) }
    }

    @Test("what has no meaning is skipped", arguments: [
        .unknown(tag: 1, groups: [UInt8](repeating: 1, count: 51)), .unknown(tag: 16, groups: [UInt8](repeating: 1, count: 53)),
        .unknown(tag: 23, groups: []), .unknown(tag: 19, groups: [UInt8](repeating: 1, count: 54)),
        .unknown(tag: 3, groups: []), .unknown(tag: 2, groups: [31, 31]), .unknown(tag: 9, groups: [19, 1, 1]),
        .unknown(tag: 9, groups: []),
    ] as [Bolt11Field])
    func skipped(field: Bolt11Field) throws {
        let read = try Bolt11Invoice(decoding: invoice([field] + Self.whole), by: LibCrypto.self)
        #expect(read.fields == [field] + Self.whole)
        #expect(read.routeHints.isEmpty)
        #expect(read.payee == identity.publicKey)
    }

    @Test("leading zero groups of a number and odd padding of a text are tolerated")
    func tolerated() throws {
        let fields: [Bolt11Field] = [
            Self.s, Self.p, .unknown(tag: 13, groups: [14, 9, 31]), .unknown(tag: 6, groups: [0, 1, 28]), .unknown(tag: 24, groups: [0, 20]),
            .unknown(tag: 5, groups: [0, 16, 8, 0]),
        ]
        let read = try Bolt11Invoice(decoding: invoice(fields), by: LibCrypto.self)
        #expect(read.description == .text("r"))
        #expect(read.expiry == 60)
        #expect(read.minFinalCLTVExpiry == 20)
        #expect(read.features == FeatureBits([8, 14]))
    }

    @Test("a given payee has to have signed, and with low S")
    func givenPayee() throws {
        let named = Self.whole + [.payee(identity.publicKey)]
        #expect(try Bolt11Invoice(decoding: invoice(named), by: LibCrypto.self).payee == identity.publicKey)
        let foreign = invoice(named, sign: other.sign)
        #expect(throws: Bolt11Invoice.Failure.signature) { try Bolt11Invoice(decoding: foreign, by: LibCrypto.self) }
        let high = invoice(named) { Self.highS(identity.sign(digest: $0)) }
        #expect(throws: Bolt11Invoice.Failure.signature) { try Bolt11Invoice(decoding: high, by: LibCrypto.self) }
        let unnamed = invoice(Self.whole) { Self.highS(identity.sign(digest: $0)) }
        #expect(try Bolt11Invoice(decoding: unnamed, by: LibCrypto.self).payee == identity.publicKey)
    }

    @Test("a way over a key that is no point is refused")
    func routeOffCurve() throws {
        let off = try #require(PublicKey([2] + [UInt8](repeating: 0, count: 31) + [5]))
        let text = invoice(Self.whole + [.route([HopHint(node: off, shortChannelID: 1, feeBase: 0, feePPM: 0, cltvDelta: 0)])])
        #expect(throws: Bolt11Invoice.Failure.route) { try Bolt11Invoice(decoding: text, by: LibCrypto.self) }
    }

    @Test("a recovery id above three and a field beyond the end are refused")
    func shape() throws {
        let recovery = invoice(Self.whole) {
            RecoverableSignature(bytes: identity.sign(digest: $0).bytes, recoveryID: 4)
        }
        #expect(throws: Bolt11Invoice.Failure.recoveryID) { try Bolt11Invoice(decoding: recovery, by: LibCrypto.self) }
        let groups = [UInt8](repeating: 0, count: 7) + [13, 0, 9, 1] + [UInt8](repeating: 0, count: 104)
        let long = Bech32(prefix: Array("lnbc".utf8), groups: groups).encode()
        #expect(throws: Bolt11Invoice.Failure.fieldTooLong) { try Bolt11Invoice(decoding: long, by: LibCrypto.self) }
    }

    @Test("amounts in any true form are read", arguments: [
        ("lnbc1", 100_000_000_000), ("lnbc1000m", 100_000_000_000), ("lnbc10n", 1000), ("lnbc10p", 1), ("lnbc9678785340p", 967_878_534),
        ("lnbcrt25m", 2_500_000_000), ("lntbs1u", 100_000), ("lnsb3n", 300), ("lnbc21000000", 2_100_000_000_000_000_000),
        ("lnbc21000000000000000000p", 2_100_000_000_000_000_000), ("lnbc", nil),
    ] as [(String, UInt64?)])
    func amounts(prefix: String, amount: UInt64?) throws {
        #expect(try Bolt11Prefix(decoding: Array(prefix.utf8)).amount?.value == amount)
    }

    @Test("amounts and prefixes that two readers could disagree about are refused", arguments: [
        ("lnbc0", .amount), ("lnbc01", .amount), ("lnbc0p", .amount), ("lnbcm", .amount), ("lnbcp", .amount), ("lnbc00p", .amount),
        ("lnbc1p", .amount), ("lnbc11p", .subMillisatoshi), ("lnbc1x", .multiplier), ("lnbc-1m", .amount), ("lnbc1mm", .amount), ("lnbc1.5m", .amount),
        ("lnbc21000001", .amountTooLarge), ("lnbc99999999999999999999999999", .amountTooLarge), ("lnbc210000000000000000010p", .amountTooLarge),
        ("lnxx1", .prefix), ("ln", .prefix), ("bc1", .prefix), ("lnb1", .prefix), ("lntbx", .multiplier),
    ] as [(String, Bolt11Invoice.Failure)])
    func badAmounts(prefix: String, failure: Bolt11Invoice.Failure) {
        #expect(throws: failure) { try Bolt11Prefix(decoding: Array(prefix.utf8)) }
    }

    @Test("an expiry that no clock reaches does not overflow")
    func endlessExpiry() throws {
        let read = try Bolt11Invoice(decoding: invoice(Self.whole + [.expiry(.max)]), by: LibCrypto.self)
        #expect(read.expiresAt == UnixTime(seconds: .max))
    }

    private func invoice(_ fields: [Bolt11Field], sign: ((Bytes32) -> RecoverableSignature)? = nil) -> String {
        var writer = Bolt11Writer(prefix: Bolt11Prefix(network: .regtest, amount: Millisatoshis(1000)), timestamp: 1_700_000_000)
        for field in fields {
            let fits = writer.append(field)
            #expect(fits)
        }
        return writer.finish(by: LibCrypto.self, sign: sign ?? identity.sign)
    }

    /// The same signature with the order minus S for S.
    private static func highS(_ signature: RecoverableSignature) -> RecoverableSignature {
        let order = Hex.decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141") ?? []
        var high = signature
        var borrow = 0
        for index in (0..<32).reversed() {
            let digit = Int(order[index]) - Int(signature.bytes[32 + index]) - borrow
            borrow = digit < 0 ? 1 : 0
            high.bytes[32 + index] = UInt8(digit & 255)
        }
        high.recoveryID ^= 1
        return high
    }
}
