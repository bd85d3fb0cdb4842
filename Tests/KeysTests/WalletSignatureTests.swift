import Bolt
import Keys
import Payments
import Testing

/// What wallets sign and decrypt.
@Suite struct WalletSignatureTests {
    static let challenge = Bytes32(hex: "e2af6254a8df433264fa23f67eb8188635d15ce883e8fc020989d5f82ae6f11e")!
    static let key = PublicKey(hex: "02c3b844b8104f0c1b15c507774c9ba7fc609f58f343b9b149122e944dd20c9362")!
    static let signature = Hex.decode(
        "304402203767faf494f110b139293d9bab3c50e07b3bf33c463d4aa767256cd09132dc5102205821f8efacdb5c595b92ada255876d9201e126e2f31a140d44561cc1f7e9e43d")!

    @Test("a wallet's login is verified over the challenge itself, and no other")
    func login() {
        #expect(LibCrypto.verify(der: Self.signature, of: Self.challenge, by: Self.key))
        var other = Self.challenge
        other[0] ^= 1
        #expect(!LibCrypto.verify(der: Self.signature, of: other, by: Self.key))
        #expect(!LibCrypto.verify(der: Array(Self.signature.dropLast()), of: Self.challenge, by: Self.key))
        #expect(!LibCrypto.verify(der: [], of: Self.challenge, by: Self.key))
    }

    @Test("a high S is the same signature")
    func highS() {
        let order = Hex.decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")!
        let low = Array(Self.signature[38...])
        var high = [UInt8](repeating: 0, count: 32)
        var borrow = 0
        for index in (0..<32).reversed() {
            let digit = Int(order[index]) - Int(low[index]) - borrow
            borrow = digit < 0 ? 1 : 0
            high[index] = UInt8(digit & 255)
        }
        // Its first bit is set, so DER writes a zero before it.
        let der = [0x30, 0x45] + Array(Self.signature[2..<36]) + [0x02, 0x21, 0x00] + high
        #expect(LibCrypto.verify(der: der, of: Self.challenge, by: Self.key))
    }

    @Test("AES-256-CBC as LUD-10 has it")
    func aes() {
        let key = Bytes32((0..<32).map { UInt8($0) })!
        let sealed = LibCrypto.encryptAES256CBC(Array("Zugang: 1234 ☕".utf8), key: key, vector: (0..<16).map { UInt8($0) })
        #expect(Hex.encode(sealed.span) == "13d2402322a5ee2e150954b67fb23fc36df1aca458534b131cc2a1deefa00257")
        #expect(LibCrypto.encryptAES256CBC([UInt8](repeating: 7, count: 16), key: key, vector: [UInt8](repeating: 0, count: 16)).count == 32)
    }

    @Test("Schnorr signatures are those of BIP 340", arguments: [
        (
            "0000000000000000000000000000000000000000000000000000000000000003", "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
            "0000000000000000000000000000000000000000000000000000000000000000", "0000000000000000000000000000000000000000000000000000000000000000",
            "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca821525f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0"
        ),
        (
            "b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef", "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
            "0000000000000000000000000000000000000000000000000000000000000001", "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
            "6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de33418906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a"
        ),
    ])
    func schnorr(secret: String, publicKey: String, random: String, message: String, signature: String) throws {
        let key = try #require(Bytes32(hex: secret).flatMap(SchnorrKey.init))
        let digest = try #require(Bytes32(hex: message))
        #expect(key.publicKey.hex == publicKey)
        let made = try key.sign(digest, random: #require(Bytes32(hex: random)))
        #expect(Hex.encode(made.span) == signature)
        #expect(LibCrypto.verifySchnorr(made, of: digest.array, by: key.publicKey))
        var altered = made
        altered[63] ^= 1
        #expect(!LibCrypto.verifySchnorr(altered, of: digest.array, by: key.publicKey))
        #expect(!LibCrypto.verifySchnorr(made.dropLast(), of: digest.array, by: key.publicKey))
    }

    @Test("zero is no Schnorr key")
    func noKey() { #expect(SchnorrKey(Bytes32()) == nil) }
}
