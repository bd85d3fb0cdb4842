import QR
import Testing

@Suite struct QRCodeTests {
    private func drawing(_ text: String) -> String? { QRCode(text).map { String(decoding: $0.svg, as: UTF8.self) } }

    @Test("the smallest code is 21 modules wide and has four modules of quiet zone on each side")
    func quietZone() throws {
        let svg = try #require(drawing("HELLO"))
        #expect(svg.contains(#"viewBox="0 0 29 29""#))
        // The finder pattern's upper edge.
        #expect(svg.contains(#"<path d="M4 4h7v1h-7z"#))
    }

    @Test("three finder patterns are drawn: seven dark modules at the upper corners and the lower left one")
    func finders() throws {
        let svg = try #require(drawing("HELLO"))
        for place in ["M4 4h7", "M18 4h7", "M4 10h7", "M18 10h7", "M4 18h7", "M4 24h7"] { #expect(svg.contains(place + "v1h-7z")) }
        #expect(!svg.contains("M18 24h7v1h-7z"))
    }

    @Test("the same text is the same drawing, another text another")
    func deterministic() {
        #expect(drawing("A") == drawing("A"))
        #expect(drawing("A") != drawing("B"))
    }

    @Test("upper case makes a smaller code than lower case")
    func upperCase() throws {
        let text = String(repeating: "lnbc1", count: 60)
        let width = { (svg: String) in svg.split(separator: "\"").first { $0.hasPrefix("0 0 ") }.flatMap { Int($0.split(separator: " ")[2]) } }
        let lower = try #require(drawing(text).flatMap(width))
        let upper = try #require(drawing(text.uppercased()).flatMap(width))
        #expect(upper < lower)
    }

    @Test("the drawing is one element, whatever the text says")
    func contained() throws {
        let svg = try #require(drawing(#""/><script>&"#))
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>"))
        #expect(!svg.contains("script"))
    }

    @Test("the picture is a whole PNG of one bit for each pixel")
    func picture() throws {
        let png = try #require(QRCode("HELLO")).png
        #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        // 29 modules of 14 pixels each, depth one, gray.
        #expect(Array(png[16..<26]) == [0, 0, 1, 0x96, 0, 0, 1, 0x96, 1, 0])
        #expect(Array(png.suffix(12)) == [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
    }

    @Test("a code as large as there are has a picture too, in several blocks")
    func largePicture() throws {
        let png = try #require(QRCode(String(repeating: "x", count: 2331))).png
        #expect(png.count > 65_535 && png.suffix(4) == [0xAE, 0x42, 0x60, 0x82])
    }

    @Test("no text, too long a text and a text with a NUL have no code")
    func refused() {
        #expect(drawing("") == nil)
        #expect(drawing("a\0b") == nil)
        #expect(drawing(String(repeating: "x", count: 2331)) != nil)
        #expect(drawing(String(repeating: "x", count: 2332)) == nil)
    }
}
