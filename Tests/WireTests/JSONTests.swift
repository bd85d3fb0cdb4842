import Payments
import TestSupport
import Testing
import Wire

@Suite struct JSONTests {
    @Test("Whole numbers keep their digits, and what was written reads the same")
    func roundTrip() throws {
        for text in ["18446744073709551615", "-9223372036854775808", "[]", "{}", #"{"a":[1,true,null,"\u0001\"\\"]}"#, "\"\u{1F600}\""] {
            let value = try JSONReader.read(Array(text.utf8))
            #expect(String(decoding: JSONWriter.bytes(value), as: UTF8.self) == text)
        }
    }

    @Test("What is not one JSON document is refused",
        arguments: ["", "01", "1.", ".5", "+1", "nul", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "\"\\x\"", "\"\\ud800\"", "\"\n\"", "1 2", "NaN", "'a'"])
    func refuses(text: String) {
        #expect(throws: (any Error).self) { try JSONReader.read(Array(text.utf8)) }
    }

    @Test("Depth is bounded and text is UTF-8")
    func bounds() {
        #expect(throws: JSONReader.Failure.tooDeep) { try JSONReader.read(Array(repeating: 0x5B, count: 100_000)) }
        #expect(throws: (any Error).self) { try JSONReader.read([0x22, 0xC0, 0xAF, 0x22]) }
    }

    @Test("Damaged documents never trap")
    func fuzz() {
        var random = SeededGenerator(seed: 5)
        let seed = Array(#"{"a":[1,-2,3.5e-7,"é\u00e9\n\ud83d\ude00",{"b":null,"c":true}],"d":{}}"#.utf8)
        for _ in 0..<4000 {
            var text = seed
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let value = try? JSONReader.read(Array(text.prefix(Int.random(in: 0...text.count, using: &random)))) {
                #expect((try? JSONReader.read(JSONWriter.bytes(value))) != nil)
            }
        }
    }

    @Test("Times are written as RFC 3339 in UTC")
    func times() {
        #expect(RFC3339.text(UnixTime(milliseconds: 0)) == "1970-01-01T00:00:00Z")
        #expect(RFC3339.text(UnixTime(milliseconds: 1_709_210_096_007)) == "2024-02-29T12:34:56.007Z")
    }
}
