@testable import Delivery
import Testing

@Suite("Addresses, however they are written")
struct IPAddressTests {
    @Test("text is read as the RFCs say", arguments: [
        ("127.0.0.1", "127.0.0.1"), ("::1", "0:0:0:0:0:0:0:1"), ("::", "0:0:0:0:0:0:0:0"), ("1::", "1:0:0:0:0:0:0:0"),
        ("fd00:ec2::254", "fd00:ec2:0:0:0:0:0:254"), ("::ffff:10.0.0.1", "10.0.0.1"), ("64:ff9b::10.0.0.1", "64:ff9b:0:0:0:0:a00:1"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("A:b::C", "a:b:0:0:0:0:0:c"),
    ])
    func read(text: String, shown: String) {
        #expect(IPAddress(text)?.description == shown)
    }

    @Test("what only some readers take for an address is none", arguments: [
        "", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.1.", "256.0.0.1", "1.2.3", "1.2.3.4.5", ":", ":::", "1:::2", "1::2::3",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "fe80::1%eth0", "[::1]", "12345::", "+1::", "::1.2.3", "1.2.3.4::",
    ])
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("18: an address that is not public is told apart in every form", arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "192.0.0.1", "198.18.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "::127.0.0.1",
        "64:ff9b:1::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001::1", "2001:db8::1", "100::1", "4000::1",
    ])
    func notPublic(text: String) throws {
        #expect(try !OutboundRules().admits(#require(IPAddress(text))))
    }

    @Test("public addresses may be called", arguments: [
        "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.167.0.1", "223.255.255.255", "2606:4700::1111",
        "64:ff9b::1.1.1.1", "2002:101:101::", "::ffff:1.1.1.1", "2a00::1",
    ])
    func isPublic(text: String) throws {
        #expect(try OutboundRules().admits(#require(IPAddress(text))))
    }

    @Test("whoever opens private networks does not mean the machine's credentials")
    func metadataStaysClosed() throws {
        let rules = OutboundRules(allowsPrivate: true)
        for text in ["127.0.0.1", "10.0.0.1", "::1", "fd00::1"] { #expect(try rules.admits(#require(IPAddress(text)))) }
        for text in ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"] {
            #expect(try !rules.admits(#require(IPAddress(text))))
        }
        let named = OutboundRules(allowed: [try #require(AddressRange("169.254.169.254"))])
        #expect(try named.admits(#require(IPAddress("169.254.169.254"))))
    }

    @Test("a range holds what agrees with it, and is refused if it says too much")
    func ranges() throws {
        let range = try #require(AddressRange("10.8.0.0/13"))
        #expect(try range.contains(#require(IPAddress("10.15.255.255"))))
        #expect(try !range.contains(#require(IPAddress("10.16.0.0"))))
        #expect(try #require(AddressRange("fd00::/8")).contains(#require(IPAddress("fdff::1"))))
        #expect(try #require(AddressRange("0.0.0.0/0")).contains(#require(IPAddress("8.8.8.8"))))
        #expect(try !#require(AddressRange("0.0.0.0/0")).contains(#require(IPAddress("::1"))))
        for text in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/+8", "x", ""] { #expect(AddressRange(text) == nil) }
    }
}
