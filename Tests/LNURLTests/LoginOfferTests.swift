import LNURL
import Payments
import Testing

@Suite struct LoginOfferTests {
    let offer = LoginOffer(
        challenge: Bytes32(filledBy: { $0[0] = 0xe2 }), keyID: "0123456789abcdef", keyHash: Bytes32(filledBy: { $0[31] = 9 }), claims: true)

    @Test("an offer is read from its address again, and no other text is one")
    func token() {
        #expect(LoginOffer(token: offer.token) == offer)
        for wrong in ["", String(offer.token.dropLast()), offer.token + "0", String(offer.token.dropLast()) + "2", offer.token.uppercased()] {
            #expect(LoginOffer(token: wrong) == nil)
        }
        var other = offer
        other.claims = false
        #expect(other.purpose != offer.purpose && other.token != offer.token)
    }

    @Test("the address says what wallets look for, and has a challenge that some leave out")
    func url() throws {
        let url = offer.url(base: "https://a.example")
        #expect(url.hasPrefix("https://a.example/lnurl/auth/") && url.hasSuffix("?tag=login&k1=\(offer.challenge.hex)&action=register"))
        #expect(try LNURLText(reading: LNURLText(url: url).plain(.login)).url == url)
        let key = "02c3b844b8104f0c1b15c507774c9ba7fc609f58f343b9b149122e944dd20c9362"
        let signature = String(repeating: "30", count: 70)
        let claim = try offer.claim(query: query(["sig": signature, "key": key]))
        #expect(claim.challenge == offer.challenge && claim.key.hex == key && claim.signature.count == 70)
        #expect(try offer.claim(query: query(["k1": offer.challenge.hex.uppercased(), "sig": signature, "key": key])) == claim)
    }

    @Test("what a wallet sends has to be whole", arguments: [
        (["k1": Bytes32().hex, "sig": "3030303030303030", "key": "02c3b844b8104f0c1b15c507774c9ba7fc609f58f343b9b149122e944dd20c9362"], .challenge),
        (["sig": "3030303030303030"], .signature), (["key": "02c3b844b8104f0c1b15c507774c9ba7fc609f58f343b9b149122e944dd20c9362"], .signature),
        (["sig": "zz", "key": "02c3b844b8104f0c1b15c507774c9ba7fc609f58f343b9b149122e944dd20c9362"], .signature),
        (["sig": "3030303030303030", "key": "04" + String(repeating: "11", count: 64)], .signature),
        (["sig": String(repeating: "30", count: 73), "key": "02c3b844b8104f0c1b15c507774c9ba7fc609f58f343b9b149122e944dd20c9362"], .signature),
    ] as [([String: String], LNURLRefusal)])
    func refused(values: [String: String], refusal: LNURLRefusal) {
        #expect(throws: refusal) { try offer.claim { values[$0] } }
    }
}
