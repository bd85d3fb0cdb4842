import Bolt
import Payments
import Testing

@testable import Keys

@Suite struct IdentityKeyTests {
    let secret: Bytes32
    let identity: IdentityKey

    init() throws {
        secret = try #require(Bytes32(hex: "e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734"))
        identity = try #require(IdentityKey(secret))
    }

    @Test("zero and the order of the curve are no keys")
    func invalid() throws {
        #expect(IdentityKey(Bytes32()) == nil)
        #expect(IdentityKey(try #require(Bytes32(hex: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"))) == nil)
    }

    @Test("both sides make the same shared secret")
    func sharedSecret() throws {
        let other = try #require(IdentityKey(Bytes32(filledBy: { $0[31] = 9 })))
        let shared = try #require(identity.sharedSecret(with: other.publicKey))
        #expect(shared == other.sharedSecret(with: identity.publicKey))
        let point = try #require(LibCrypto.multiply(other.publicKey, by: secret))
        #expect(shared == LibCrypto.sha256(point.array.span))
    }

    @Test("a signature is the same each time, verifies, and gives the key back")
    func sign() {
        let digest = LibCrypto.sha256(Array("invoice".utf8).span)
        let signature = identity.sign(digest: digest)
        #expect(signature == identity.sign(digest: digest))
        #expect(LibCrypto.verify(signature, digest: digest, by: identity.publicKey))
        #expect(LibCrypto.recoverPublicKey(from: signature, digest: digest) == identity.publicKey)
        #expect(!LibCrypto.verify(signature, digest: Bytes32(), by: identity.publicKey))
        #expect(LibCrypto.recoverPublicKey(from: RecoverableSignature(bytes: signature.bytes, recoveryID: 4), digest: digest) == nil)
    }

    @Test("HKDF of RFC 5869's first example, in its first block")
    func hkdf() throws {
        // That example's info is no text, so the one without salt and info is taken: its output begins with the same construction.
        let key = [UInt8](repeating: 0x0b, count: 22)
        #expect(
            HKDF.derive(from: key.span, salt: [], purpose: "").hex
                == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d")
    }

    @Test("no description or reflection of anything secret shows it")
    func hidden() {
        let secrets = PaymentSecrets(identity: identity)
        let issued = secrets.make(
            InvoiceTerms(amount: nil, expiresAt: UnixTime(seconds: 0), settlement: .auto, isStored: false), random: Bytes32())
        let derived = identity.derive("test")
        let hidden = [secret.hex, issued.preimage.bytes.hex, issued.secret.bytes.hex, derived.withSpan { Hex.encode($0) }]
        let decimal = [secret, issued.preimage.bytes, issued.secret.bytes].map { $0.array.prefix(4).map(String.init).joined(separator: ", ") }
        for value in [identity, secrets, WatchTokens(identity: identity), issued, derived, issued.preimage, issued.secret] as [Any] {
            var text = String(describing: value) + String(reflecting: value)
            dump(value, to: &text)
            for secret in hidden + decimal { #expect(!text.contains(secret)) }
        }
    }
}
