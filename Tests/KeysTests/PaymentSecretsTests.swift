import Bolt
import Keys
import Payments
import Testing

@Suite struct PaymentSecretsTests {
    let identity: IdentityKey
    let secrets: PaymentSecrets
    static let terms = InvoiceTerms(
        amount: Millisatoshis(123_456_789), expiresAt: UnixTime(seconds: 1_700_003_600), settlement: .hold, isStored: true)

    init() throws {
        identity = try #require(IdentityKey(Bytes32(filledBy: { $0[0] = 1 })))
        secrets = PaymentSecrets(identity: identity)
    }

    @Test("a secret gives back its terms and its preimage", arguments: [
        terms, InvoiceTerms(amount: nil, expiresAt: UnixTime(seconds: 0), settlement: .auto, isStored: false),
        InvoiceTerms(amount: .zero, expiresAt: UnixTime(seconds: 253_402_300_799), settlement: .auto, isStored: true),
        InvoiceTerms(amount: Millisatoshis(.max), expiresAt: UnixTime(seconds: 1), settlement: .hold, isStored: false),
        InvoiceTerms(amount: nil, expiresAt: UnixTime(seconds: 1), settlement: .auto, isStored: false, account: 2),
        InvoiceTerms(amount: Millisatoshis(7), expiresAt: UnixTime(seconds: 1), settlement: .hold, isStored: true, account: 4_294_967_295),
    ])
    func roundTrip(terms: InvoiceTerms) throws {
        let issued = secrets.make(terms, random: SecureRandom.bytes32())
        #expect(LibCrypto.sha256(issued.preimage.bytes.array.span) == issued.paymentHash.bytes)
        let opened = try #require(secrets.open(issued.secret, for: issued.paymentHash))
        #expect(opened.terms == terms)
        #expect(opened.preimage == issued.preimage)
    }

    @Test("a secret with any bit altered, amount and expiry included, matches nothing")
    func alteredBits() {
        let issued = secrets.make(Self.terms, random: SecureRandom.bytes32())
        for bit in 0..<256 {
            var altered = issued.secret
            altered.bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(secrets.open(altered, for: issued.paymentHash) == nil)
        }
    }

    @Test("a secret is good for its own payment hash alone")
    func otherHash() {
        let one = secrets.make(Self.terms, random: SecureRandom.bytes32())
        let two = secrets.make(Self.terms, random: SecureRandom.bytes32())
        #expect(one.secret != two.secret)
        #expect(secrets.open(one.secret, for: two.paymentHash) == nil)
        #expect(secrets.open(PaymentSecret(Bytes32()), for: one.paymentHash) == nil)
    }

    @Test("older key ids stay payable, unknown ones and those of other keys are not")
    func rotation() throws {
        let next = try #require(IdentityKey(Bytes32(filledBy: { $0[0] = 2 })))
        let issued = secrets.make(Self.terms, random: SecureRandom.bytes32())
        let rotated = PaymentSecrets(identity: next, id: 1, older: [0: identity])
        #expect(rotated.open(issued.secret, for: issued.paymentHash)?.terms == Self.terms)
        let fresh = rotated.make(Self.terms, random: SecureRandom.bytes32())
        #expect(rotated.open(fresh.secret, for: fresh.paymentHash)?.preimage == fresh.preimage)
        #expect(secrets.open(fresh.secret, for: fresh.paymentHash) == nil)
        #expect(PaymentSecrets(identity: next, id: 1).open(issued.secret, for: issued.paymentHash) == nil)
        #expect(PaymentSecrets(identity: next).open(issued.secret, for: issued.paymentHash) == nil)
    }

    @Test("the same key under another id makes unrelated secrets")
    func separateIDs() {
        let random = SecureRandom.bytes32()
        let one = secrets.make(Self.terms, random: random)
        let two = PaymentSecrets(identity: identity, id: 1).make(Self.terms, random: random)
        #expect(one.preimage != two.preimage)
        #expect((18..<32).contains { one.secret.bytes[$0] != two.secret.bytes[$0] })
    }

    @Test("the terms cannot be seen in the secret")
    func hiddenTerms() {
        let random = SecureRandom.bytes32()
        let open = secrets.make(Self.terms, random: random).secret.bytes
        #expect((18..<31).map { open[$0] } != [0, 0, 0, 0, 7, 91, 205, 21, 0, 101, 83, 255, 16])
    }

    @Test("random secrets match nothing and never trap")
    func fuzz() {
        for _ in 0..<2000 {
            let secret = SecureRandom.bytes32()
            #expect(secrets.open(PaymentSecret(secret), for: PaymentHash(SecureRandom.bytes32())) == nil)
        }
    }

    @Test("an account whose number does not fit ends the process: cut, its payments would be another account's")
    func accountBound() async {
        await #expect(processExitsWith: .failure) {
            let identity = try #require(IdentityKey(Bytes32(filledBy: { $0[0] = 1 })))
            let terms = InvoiceTerms(amount: nil, expiresAt: UnixTime(seconds: 1), settlement: .auto, isStored: false, account: Int64(UInt32.max) + 1)
            _ = PaymentSecrets(identity: identity).make(terms, random: Bytes32())
        }
    }
}
