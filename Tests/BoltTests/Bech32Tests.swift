import TestSupport
import Testing

@testable import Bolt

@Suite struct Bech32Tests {
    @Test("the valid examples of BIP 173 are read and written again", arguments: [
        "A12UEL5L", "a12uel5l", "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl",
    ])
    func valid(text: String) throws {
        #expect(try Bech32(decoding: text).encode() == text.lowercased())
    }

    @Test("the invalid examples of BIP 173 are refused", arguments: [
        ("\u{20}1nwldj5", .character), ("\u{7f}1axkwrx", .character), ("\u{80}1eym55h", .character), ("pzry9x0s0muk", .noSeparator),
        ("1pzry9x0s0muk", .tooShort), ("x1b4n0q5v", .character), ("li1dgmt3", .tooShort), ("de1lg7wt\u{ff}", .character),
        ("A1G7SGD8", .checksum), ("10a06t8", .tooShort), ("1qzzfhee", .tooShort), ("", .noSeparator), ("A12uel5l", .mixedCase),
        // Bech32m's constant is another.
        ("a1lqfn3a", .checksum),
    ] as [(String, Bech32.Failure)])
    func invalid(text: String, failure: Bech32.Failure) {
        #expect(throws: failure) { try Bech32(decoding: text) }
    }

    @Test("random groups survive the text, random texts are refused")
    func fuzz() throws {
        var random = SeededGenerator(seed: 10)
        for _ in 0..<2000 {
            let bytes = random.bytes(Int.random(in: 0...80, using: &random))
            #expect((try? Bech32(decoding: String(decoding: bytes, as: UTF8.self))) == nil)
            let value = Bech32(prefix: Array("lnurl".utf8), groups: bytes.map { $0 & 31 })
            #expect(try Bech32(decoding: value.encode()) == value)
            var groups = [UInt8]()
            FiveBitGroups.append(bytes.span, to: &groups)
            #expect(FiveBitGroups.bytes(of: groups[...]) == bytes)
        }
    }
}
