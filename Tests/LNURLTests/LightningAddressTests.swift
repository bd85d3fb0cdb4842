import LNURL
import Testing

@Suite struct LightningAddressTests {
    @Test("names are small letters, and a tag is not part of them", arguments: [
        ("alice", "alice", nil), ("ALICE", "alice", nil), ("a.b-c_d9", "a.b-c_d9", nil), ("_", "_", nil),
        ("alice+tip", "alice", "tip"), ("alice+Tip+x", "alice", "tip+x"), ("alice+", "alice", nil),
    ] as [(String, String, String?)])
    func read(text: String, name: String, tag: String?) throws {
        let address = try #require(LightningAddress(asked: text))
        #expect(address.name == name && address.tag == tag)
    }

    @Test("what is no name is none", arguments: [
        "", "a b", "аlice", "alice@x", "a/b", "$name", "+tag", ".", ".a", "a.", "a..b", "a\u{0}", String(repeating: "a", count: 65), "alice+<b>",
    ])
    func refused(text: String) { #expect(LightningAddress(asked: text) == nil) }

    @Test("an address has a name and a host with a dot", arguments: [
        ("a@b.example", true), ("A+t@b-c.example:8080", true), ("_@b.example", true), ("a@b", false), ("a@b.example@c.example", false), ("@b.example", false),
        ("a@", false), ("a@.example", false), ("a@b..example", false), ("a@-b.example", false), ("a@b.example/x", false), ("a@b.example:99999", false),
        ("a@[::1]", false), ("a b@b.example", false),
    ])
    func whole(text: String, isAddress: Bool) { #expect(LightningAddress.isWellFormed(text) == isAddress) }
}
