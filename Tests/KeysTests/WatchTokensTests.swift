import Bolt
import Payments
import Testing

@testable import Keys

@Suite struct WatchTokensTests {
    let identity: IdentityKey
    let tokens: WatchTokens
    let hash = PaymentHash(Bytes32(filledBy: { $0[0] = 200 }))

    init() throws {
        identity = try #require(IdentityKey(Bytes32(filledBy: { $0[0] = 1 })))
        tokens = WatchTokens(identity: identity)
    }

    @Test("a token names its invoice, is always the same, and fits a URL")
    func roundTrip() {
        let token = tokens.token(for: hash)
        #expect(token == tokens.token(for: hash))
        #expect(token.utf8.count == 64)
        #expect(token.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        #expect(tokens.paymentHash(of: token) == hash)
    }

    @Test("an altered token, a token for another invoice's tag or of another key is refused")
    func forged() throws {
        let token = Array(tokens.token(for: hash).utf8)
        for index in token.indices {
            var altered = token
            altered[index] = altered[index] == 65 ? 66 : 65
            #expect(tokens.paymentHash(of: String(decoding: altered, as: UTF8.self)) == nil)
        }
        let other = try #require(IdentityKey(Bytes32(filledBy: { $0[0] = 2 })))
        let foreign = WatchTokens(identity: other).token(for: hash)
        #expect(tokens.paymentHash(of: foreign) == nil)
        #expect(WatchTokens(identity: identity, older: [other]).paymentHash(of: foreign) == hash)
        for text in ["", "A", String(repeating: "=", count: 64), String(repeating: "A", count: 65), String(repeating: "é", count: 32)] {
            #expect(tokens.paymentHash(of: text) == nil)
        }
    }

    @Test("base64url of RFC 4648, one text for one value", arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
    ])
    func base64(plain: String, text: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == text)
        #expect(Base64URL.decode(text) == Array(plain.utf8))
    }

    @Test("other texts than the one that is written are refused", arguments: ["Zh", "Zg==", "Z", "Zm+v", "Zm/v", "Zm9v\n"])
    func badBase64(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test("random texts are refused or written again as they were")
    func fuzz() {
        let alphabet = Array("ABCxyz019-_+/= é")
        for _ in 0..<2000 {
            let text = String((0..<Int.random(in: 0...70)).map { _ in alphabet.randomElement() ?? "A" })
            #expect(tokens.paymentHash(of: text) == nil)
            if let bytes = Base64URL.decode(text) { #expect(Base64URL.encode(bytes) == text) }
        }
    }
}
