import Keys
import Payments
import TestSupport
import Testing

@testable import Bolt

@Suite struct Bolt11DraftTests {
    let identity: IdentityKey

    init() throws {
        identity = try #require(Bytes32(hex: Bolt11Vectors.privateKey).flatMap(IdentityKey.init))
    }

    @Test("what is written is read again, for random invoices of every network")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 9)
        for round in 0..<200 {
            var draft = try self.draft()
            draft.network = Network.allCases[round % 5]
            let scale = [1, 100, 100_000, 100_000_000, 100_000_000_000].randomElement(using: &random) ?? 1
            draft.amount = Bool.random(using: &random) ? nil : Millisatoshis(UInt64.random(in: 1...20_000_000, using: &random) * UInt64(scale))
            draft.paymentHash = PaymentHash(try #require(Bytes32(random.bytes(32))))
            draft.paymentSecret = PaymentSecret(try #require(Bytes32(random.bytes(32))))
            draft.description = Bool.random(using: &random)
                ? .hash(Bytes32()) : .text(String(repeating: "ö", count: Int.random(in: 0...319, using: &random)))
            draft.expiry = UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 0...63, using: &random)
            draft.minFinalCLTVExpiry = UInt64.random(in: 0...2016, using: &random)
            draft.routeHints = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                (0..<Int.random(in: 1...12, using: &random)).map { _ in hop(UInt64.random(in: 0 ... .max, using: &random)) }
            }
            draft.metadata = Bool.random(using: &random) ? nil : random.bytes(Int.random(in: 0...639, using: &random))
            draft.features = draft.metadata == nil ? .payable : FeatureBits([8, 14, 17, 49])
            let text = try draft.encode(by: LibCrypto.self, sign: identity.sign)
            let read = try Bolt11Invoice(decoding: round % 2 == 0 ? text : text.uppercased(), by: LibCrypto.self)
            #expect(read.network == draft.network)
            #expect(read.amount == draft.amount)
            #expect(read.timestamp == draft.timestamp)
            #expect(read.paymentHash == draft.paymentHash)
            #expect(read.paymentSecret == draft.paymentSecret)
            #expect(read.description == draft.description)
            #expect(read.expiry == draft.expiry)
            #expect(read.minFinalCLTVExpiry == draft.minFinalCLTVExpiry)
            #expect(read.routeHints == draft.routeHints)
            #expect(read.features == draft.features)
            #expect(read.metadata == draft.metadata)
            #expect(read.payee == identity.publicKey)
        }
    }

    @Test("amounts are written in their shortest form", arguments: [
        (1, "10p"), (10, "100p"), (100, "1n"), (1000, "10n"), (100_000, "1u"), (250_000_000, "2500u"), (2_000_000_000, "20m"),
        (100_000_000_000, "1"), (967_878_534, "9678785340p"), (2_100_000_000_000_000_000, "21000000"), (2_099_999_999_999_999_999, "20999999999999999990p"),
    ] as [(UInt64, String)])
    func amounts(amount: UInt64, text: String) throws {
        let prefix = Bolt11Prefix(network: .regtest, amount: Millisatoshis(amount))
        #expect(String(decoding: prefix.encode(), as: UTF8.self) == "lnbcrt" + text)
        #expect(try Bolt11Prefix(decoding: prefix.encode()) == prefix)
    }

    @Test("our features are written as LND writes them")
    func features() throws {
        let text = try draft().encode(by: LibCrypto.self, sign: identity.sign)
        #expect(text.dropLast(110).hasSuffix("9qyysgq"))
    }

    @Test("numbers take as few groups as they can")
    func minimalNumbers() {
        #expect(FiveBitGroups.count(for: 0) == 1)
        #expect(FiveBitGroups.count(for: 31) == 1)
        #expect(FiveBitGroups.count(for: 32) == 2)
        #expect(FiveBitGroups.count(for: 1023) == 2)
        #expect(FiveBitGroups.count(for: 1024) == 3)
        #expect(FiveBitGroups.count(for: .max) == 13)
    }

    @Test("what does not fit an invoice is refused before it is signed")
    func limits() throws {
        func failure(_ change: (inout Bolt11Draft) -> Void) throws -> Bolt11Draft.Failure? {
            var draft = try self.draft()
            change(&draft)
            do {
                _ = try draft.encode(by: LibCrypto.self, sign: identity.sign)
                return nil
            } catch {
                return error
            }
        }
        #expect(try failure { $0.description = .text(String(repeating: "a", count: 639)) } == nil)
        #expect(try failure { $0.description = .text(String(repeating: "a", count: 640)) } == .descriptionTooLong)
        #expect(try failure { $0.metadata = [UInt8](repeating: 0, count: 640) } == .metadataTooLong)
        #expect(try failure { $0.amount = .zero } == .amount)
        #expect(try failure { $0.amount = .supply } == nil)
        #expect(try failure { $0.amount = Millisatoshis(Millisatoshis.supply.value + 1) } == .amount)
        #expect(try failure { $0.timestamp = UnixTime(milliseconds: -1) } == .timestamp)
        #expect(try failure { $0.timestamp = UnixTime(seconds: 1 << 35) } == .timestamp)
        #expect(try failure { $0.routeHints = [[]] } == .route)
        #expect(try failure { $0.routeHints = [(0..<13).map { hop($0) }] } == .route)
    }

    private func draft() throws -> Bolt11Draft {
        Bolt11Draft(
            network: .regtest, amount: Millisatoshis(1000), timestamp: UnixTime(seconds: 1_700_000_000), paymentHash: PaymentHash(Bytes32()),
            paymentSecret: PaymentSecret(Bytes32()), description: .text("tea"), expiry: 3600, minFinalCLTVExpiry: 80,
            routeHints: [[hop(16_000_000 << 40)]])
    }

    private func hop(_ channel: UInt64) -> HopHint {
        HopHint(node: identity.publicKey, shortChannelID: channel, feeBase: 1, feePPM: 2, cltvDelta: 80)
    }
}
