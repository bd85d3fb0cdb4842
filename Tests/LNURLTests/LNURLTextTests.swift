import Bolt
import LNURL
import Testing

@Suite struct LNURLTextTests {
    static let vectors = [
        ("https://service.com/api?q=3fc3645b439ce8e7f2553a69e5267081d96dcd340693afabe04be7b0ccd178df",
         "LNURL1DP68GURN8GHJ7UM9WFMXJCM99E3K7MF0V9CXJ0M385EKVCENXC6R2C35XVUKXEFCV5MKVV34X5EKZD3EV56NYD3HXQURZEPEXEJXXEPNXSCRVWFNV9NXZCN9XQ6XYEFHVGCXXCMYXYMNSERXFQ5FNS"),
        ("https://example.com/.well-known/lnurlp/alice",
         "LNURL1DP68GURN8GHJ7ETCV9KHQMR99E3K7MF09EMK2MRV944KUMMHDCHKCMN4WFK8QTMPD35KXEG9SAEVQ"),
    ]

    @Test("addresses are those of LUD-01, and QR codes upper case", arguments: vectors)
    func encoded(url: String, bech32: String) throws {
        let text = LNURLText(url: url)
        #expect(text.bech32 == bech32.lowercased() && text.code == "LIGHTNING:" + bech32 && text.link == "lightning:" + bech32.lowercased())
        #expect(try LNURLText(reading: bech32).url == url)
        #expect(try LNURLText(reading: text.code).url == url)
        #expect(try LNURLText(reading: text.link).url == url)
        #expect(try LNURLText(reading: "https://shop.example/x?id=1&lightning=" + bech32).url == url)
    }

    @Test("plain forms have the scheme of what they are for", arguments: [
        ("https://a.example/x?y=1", "lnurlp://a.example/x?y=1"), ("http://abc.onion/x", "lnurlp://abc.onion/x"),
    ])
    func plain(url: String, text: String) throws {
        #expect(LNURLText(url: url).plain(.pay) == text)
        #expect(try LNURLText(reading: text).url == url)
        #expect(try LNURLText(reading: LNURLText(url: url).plain(.login)).url == url)
        #expect(LNURLText(url: url).plain(.withdraw).hasPrefix("lnurlw://"))
    }

    @Test("what two readers could understand differently is refused", arguments: [
        ("lnurl1", .text(.tooShort)), ("LNURL1DP68gurn8ghj7", .text(.mixedCase)), ("ftp://a.example/", .scheme), ("http://a.example/", .scheme),
        ("https://a.example\\@b.example/", .bytes), ("http://a.example/x.onion", .scheme),
        (Bech32(prefix: "lnurx", bytes: Array("https://a.example".utf8)).encode(), .prefix),
        (Bech32(prefix: "lnurl", bytes: [0xff, 0xfe]).encode(), .bytes),
        (Bech32(prefix: "lnurl", bytes: Array("javascript:alert(1)".utf8)).encode(), .scheme),
        (Bech32(prefix: Array("lnurl".utf8), groups: [13, 1]).encode(), .bytes),
        (Bech32(prefix: Array("lnurl".utf8), groups: [13, 3, 1]).encode(), .bytes),
        ("https://a.example/" + String(repeating: "a", count: 2000), .tooLong),
    ] as [(String, LNURLText.Failure)])
    func refused(text: String, failure: LNURLText.Failure) {
        #expect(throws: failure) { try LNURLText(reading: text) }
    }

    @Test("one code holds an address on chain and the invoice, and agrees with it about the amount")
    func unified() {
        let uri = UnifiedURI(address: "bc1qabc", amountMillisatoshis: 2_100_000, invoice: "lnbc21u1x")
        #expect(uri.text() == "bitcoin:bc1qabc?amount=0.000021&lightning=lnbc21u1x")
        #expect(uri.text(upperCase: true) == "bitcoin:bc1qabc?amount=0.000021&lightning=LNBC21U1X")
        #expect(UnifiedURI(amountMillisatoshis: 100_000_000_000, invoice: "x").text() == "bitcoin:?amount=1&lightning=x")
        #expect(UnifiedURI(amountMillisatoshis: 1, invoice: "x").text() == "bitcoin:?lightning=x")
    }
}
