import Keys
import Payments
import Testing

@Suite struct LNURLSecretsTests {
    let secrets = LNURLSecrets(identity: IdentityKey(Bytes32(filledBy: { $0[31] = 1 }))!)
    let other = LNURLSecrets(identity: IdentityKey(Bytes32(filledBy: { $0[31] = 2 }))!)

    @Test("a token gives its invoice back, and none can be made from the invoice alone")
    func tokens() {
        let token = secrets.verifyToken(for: "lnbcrt1abc")
        #expect(secrets.paymentRequest(of: token) == "lnbcrt1abc")
        #expect(other.paymentRequest(of: token) == nil)
        for wrong in ["", "lnbcrt1abc", token + "x", "A" + token.dropFirst(), String(token.dropLast()), String(repeating: "A", count: 22) + "é"] {
            #expect(secrets.paymentRequest(of: wrong) == nil, "\(wrong)")
        }
    }

    @Test("a challenge tells its time for its own purpose only")
    func challenges() {
        let time = UnixTime(seconds: 1_800_000_000)
        let random = Bytes32(filledBy: { $0[9] = 3 })
        let challenge = secrets.challenge(for: "a", at: time, random: random)
        #expect(secrets.time(of: challenge, for: "a") == time)
        #expect(secrets.time(of: challenge, for: "b") == nil)
        #expect(other.time(of: challenge, for: "a") == nil)
        #expect(secrets.time(of: random, for: "a") == nil)
        for (offset, isFresh) in [(-61, false), (-60, true), (0, true), (299, true), (300, false)] as [(Int64, Bool)] {
            #expect(secrets.isFresh(challenge, for: "a", at: UnixTime(seconds: time.seconds + offset), seconds: 300) == isFresh)
        }
        #expect(!secrets.isFresh(challenge, for: "b", at: time, seconds: 300))
        #expect(challenge != secrets.challenge(for: "a", at: time, random: Bytes32()))
    }

    @Test("a login's key is recognised by whoever has all of it, and the code is the gateway's own")
    func login() {
        let random = Bytes32(filledBy: { $0[1] = 5 })
        let (id, secret) = secrets.loginKey(random: random)
        #expect(secrets.isLoginKey(id: Hex.encode(id.span), secret: secret))
        #expect(!other.isLoginKey(id: Hex.encode(id.span), secret: secret) && !secrets.isLoginKey(id: "0000000000000000", secret: secret))
        let code = secrets.claimCode
        #expect(code.utf8.count == 19 && code == secrets.claimCode && code != other.claimCode)
        #expect(secrets.isClaimCode(code) && secrets.isClaimCode(code.uppercased()))
        for wrong in ["", String(code.dropLast()), code + "a", other.claimCode] { #expect(!secrets.isClaimCode(wrong)) }
    }

    @Test("an order's randomness is its own")
    func orders() {
        #expect(secrets.randomness(ofOrder: "a") == secrets.randomness(ofOrder: "a"))
        #expect(secrets.randomness(ofOrder: "a") != secrets.randomness(ofOrder: "b"))
    }
}
