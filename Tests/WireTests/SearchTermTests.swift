import Payments
import Testing
import Wire

@Suite struct SearchTermTests {
    private func record(_ metadata: String?, orderID: String? = nil) -> InvoiceRecord {
        InvoiceRecord(
            paymentHash: PaymentHash(Bytes32()), account: 1, paymentRequest: "",
            terms: InvoiceTerms(amount: nil, expiresAt: UnixTime(seconds: 1), settlement: .auto, isStored: true), description: nil, metadata: metadata,
            orderID: orderID, createdAt: UnixTime(seconds: 0))
    }

    private func terms(_ metadata: String) throws -> [SearchTerm] { SearchTerm.terms(of: try JSONReader.read(Array(metadata.utf8))) }

    @Test("Texts, numbers and truth values at the top are terms, as a query names them; what is nested is none")
    func members() throws {
        let found = try terms(#"{"a":"x","b":7,"c":-1,"d":true,"e":null,"f":[1],"g":{"h":1},"i":1.5}"#)
        let named = [("a", "x"), ("b", "7"), ("c", "-1"), ("d", "true"), ("i", "1.5")].compactMap { SearchTerm(parameter: "metadata." + $0, $1) }
        #expect(found == named)
    }

    @Test("No invoice has more terms than are kept, and long values are none")
    func bounds() throws {
        let many = "{" + (0..<100).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        #expect(try terms(many).count == 32)
        #expect(try terms(#"{"a":"\#(String(repeating: "x", count: 257))","b":1}"#).map(\.name) == ["metadata.b"])
    }

    @Test("A term is compared with what the invoice has, not with its number alone")
    func matches() throws {
        let order = SearchTerm.orderID("A 1"), shop = try #require(SearchTerm(parameter: "metadata.shop", "7"))
        #expect(order.matches(record(nil, orderID: "A 1")) && !order.matches(record(nil, orderID: "A 2")) && !order.matches(record(nil)))
        #expect(shop.matches(record(#"{"shop":"7"}"#)) && shop.matches(record(#"{"shop":7}"#)) && !shop.matches(record(#"{"shop":8}"#)))
        #expect(!shop.matches(record(#"{"x":{"shop":7}}"#)) && !shop.matches(record(nil)))
        #expect(SearchTerm(parameter: "metadata.", "7") == nil && SearchTerm(parameter: "state", "open") == nil)
        #expect(order.number(by: EventCodecTests.Folding.self) != shop.number(by: EventCodecTests.Folding.self))
    }

    @Test("Times are read as RFC 3339 writes them", arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-21T09:30:00.123Z", 1_795_253_400_123), ("2026-11-21t10:30:00+01:00", 1_795_253_400_000),
        ("2024-02-29T23:59:59.9Z", 1_709_251_199_900), ("9999-12-31T23:59:59Z", 253_402_300_799_000),
    ] as [(String, Int64)])
    func times(text: String, milliseconds: Int64) {
        #expect(RFC3339.time(text) == UnixTime(milliseconds: milliseconds))
        if text.hasSuffix("Z"), !text.contains(".9") { #expect(RFC3339.text(UnixTime(milliseconds: milliseconds)) == text) }
    }

    @Test("What is no time is none", arguments: [
        "", "2026-11-21", "2026-11-21T09:30:00", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T09:30:00.Z",
        "2026-11-21T09:30:00+0100", "2026-11-21 09:30:00Z", "1969-12-31T23:59:59Z", "2026-11-21T09:30:00ZZ", "+026-11-21T09:30:00Z", "2026-11-21T09:30:00.1",
    ])
    func notTimes(text: String) { #expect(RFC3339.time(text) == nil) }
}
