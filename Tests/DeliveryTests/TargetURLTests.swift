@testable import Delivery
import Testing

@Suite("URLs that others give us")
struct TargetURLTests {
    @Test("are taken apart in one way", arguments: [
        ("https://Shop.example/hook?a=b@c", "shop.example", 443, true), ("http://10.0.0.1:8080", "10.0.0.1", 8080, false),
        ("HTTPS://[2606:4700::1]:444/x", "2606:4700::1", 444, true), ("http://a_b.example?x", "a_b.example", 80, false),
    ])
    func parts(text: String, host: String, port: Int, isTLS: Bool) throws {
        let url = try TargetURL(text)
        #expect((url.host, url.port, url.isTLS) == (host, port, isTLS))
        #expect(url.text == text)
    }

    @Test("18: what two readers could understand differently is refused", arguments: [
        ("ftp://a", TargetURL.Failure.notHTTP), ("//a", .notHTTP), ("", .notHTTP), ("javascript:alert(1)", .notHTTP),
        ("https://user@a", .credentials), ("https://user:pass@a/", .credentials), ("https://a@127.0.0.1/", .credentials),
        ("https://a#b", .fragment), ("https://a\\@b", .badCharacter), ("https://a b", .badCharacter), ("https://a\r\nx: y", .badCharacter),
        ("https://münchen.example", .badCharacter), ("https://", .badHost), ("https://:80", .badHost), ("https://127.1", .badHost),
        ("https://2130706433", .badHost), ("https://0x7f000001", .badHost), ("https://0x7f.1", .badHost), ("https://0177.0.0.1", .badHost),
        ("https://a.example.", .badHost), ("https://a..b", .badHost), ("https://-a.example", .badHost), ("https://a%2eb", .badHost),
        ("https://[::1", .badHost), ("https://[::1]x", .badHost), ("https://[127.0.0.1]", .badHost), ("https://[fe80::1%25eth0]/", .badHost),
        ("https://a:0", .badPort), ("https://a:65536", .badPort), ("https://a:", .badPort), ("https://a:8o", .badPort),
        ("https://a:80:80", .badPort),
    ])
    func refused(text: String, failure: TargetURL.Failure) {
        #expect(throws: failure) { try TargetURL(text) }
    }

    @Test("have a bounded length")
    func length() {
        #expect(throws: TargetURL.Failure.tooLong) { try TargetURL("https://a/" + String(repeating: "x", count: 2048)) }
    }

    @Test("the rules speak before any name is resolved")
    func complaints() throws {
        let strict = OutboundRules()
        #expect(try strict.complaint(about: TargetURL("https://shop.example/")) == nil)
        #expect(try strict.complaint(about: TargetURL("http://shop.example/")) != nil)
        #expect(try strict.complaint(about: TargetURL("https://127.0.0.1/")) != nil)
        #expect(try strict.complaint(about: TargetURL("https://[::ffff:10.0.0.1]/")) != nil)
        #expect(try strict.complaint(about: TargetURL("https://localhost/")) != nil)
        #expect(try strict.complaint(about: TargetURL("https://abc.onion/")) != nil)
        let open = OutboundRules(allowsPrivate: true, allowsHTTP: true)
        #expect(try open.complaint(about: TargetURL("http://127.0.0.1:1/")) == nil)
        #expect(try open.complaint(about: TargetURL("http://localhost:1/")) == nil)
        #expect(try open.complaint(about: TargetURL("http://169.254.169.254/")) != nil)
    }
}
