import Bolt
import Keys
import Payments
import Testing

@Suite struct LibCryptoTests {
    @Test("SHA-256 of FIPS 180")
    func sha256() {
        #expect(LibCrypto.sha256(Array("abc".utf8).span).hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(LibCrypto.sha256([UInt8]().span).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("HMAC-SHA256 of RFC 4231, a key longer than a block included")
    func hmac() {
        #expect(
            LibCrypto.hmacSHA256(key: [UInt8](repeating: 0x0b, count: 20).span, Array("Hi There".utf8).span).hex
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(
            LibCrypto.hmacSHA256(key: Array("Jefe".utf8).span, Array("what do ya want ".utf8).span, Array("for nothing?".utf8).span).hex
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            LibCrypto.hmacSHA256(
                key: [UInt8](repeating: 0xaa, count: 131).span, Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8).span
            ).hex == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test("ChaCha20 of RFC 8439 with nonce and counter zero, undone by itself")
    func chaCha20() {
        var bytes = [UInt8](repeating: 0, count: 64)
        combine(&bytes)
        #expect(
            Hex.encode(bytes)
                == "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586")
        combine(&bytes)
        #expect(bytes == [UInt8](repeating: 0, count: 64))
    }

    @Test("each thread has a state of its own")
    func threads() async {
        let expected = (0..<64).map { LibCrypto.sha256([UInt8(0), UInt8($0)].span) }
        await withTaskGroup(of: Bool.self) { group in
            for index in 0..<64 {
                group.addTask { (0..<50).allSatisfy { _ in LibCrypto.sha256([UInt8(0), UInt8(index)].span) == expected[index] } }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    @Test("what is no scalar or no point is refused")
    func curve() throws {
        let order = try #require(Bytes32(hex: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"))
        let one = Bytes32(filledBy: { $0[31] = 1 })
        let generator = try #require(LibCrypto.publicKey(of: one))
        #expect(generator.hex == "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
        #expect(LibCrypto.publicKey(of: order) == nil)
        #expect(LibCrypto.publicKey(of: Bytes32()) == nil)
        #expect(LibCrypto.multiply(generator, by: order) == nil)
        #expect(LibCrypto.multiply(scalar: one, by: Bytes32()) == nil)
        let off = try #require(PublicKey([2] + [UInt8](repeating: 0, count: 31) + [5]))
        #expect(!LibCrypto.isOnCurve(off))
        #expect(LibCrypto.multiply(off, by: one) == nil)
    }

    @Test("multiplication of points and of scalars agree")
    func multiplication() throws {
        let two = Bytes32(filledBy: { $0[31] = 2 })
        let three = Bytes32(filledBy: { $0[31] = 3 })
        let point = try #require(LibCrypto.publicKey(of: two))
        let product = try #require(LibCrypto.multiply(scalar: two, by: three))
        #expect(LibCrypto.multiply(point, by: three) == LibCrypto.publicKey(of: product))
    }

    private func combine(_ bytes: inout [UInt8]) {
        var span = bytes.mutableSpan
        LibCrypto.chaCha20(key: Bytes32(), into: &span)
    }
}
