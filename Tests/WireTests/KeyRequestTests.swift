import Payments
import Testing
import Wire

@Suite struct KeyRequestTests {
    private func decode(_ text: String) throws -> KeyRequest { try KeyRequest(decoding: Array(text.utf8)) }

    @Test("what is asked for is read; scopes that are named twice are one")
    func whole() throws {
        let request = try decode(
            #"{"name":"Shop","scopes":["admin","admin"],"account":2,"expires_at":"2026-11-21T10:00:00.5+01:00","limits":{"open_invoices":0}}"#)
        #expect(request.scopes == [.admin] && request.account == 2 && request.openInvoices == 0 && request.rate == nil)
        #expect(request.expiry == .at(UnixTime(milliseconds: 1_795_251_600_500)))
        #expect(try decode(#"{"scopes":["admin"],"expires_in_seconds":60}"#).expiry == .after(seconds: 60))
    }

    @Test("a time is read as it is written, in any zone, and no day is taken that there was not")
    func times() {
        for milliseconds in [0, 951_782_400_000, 1_709_164_800_123, 4_102_444_799_999] as [Int64] {
            let time = UnixTime(milliseconds: milliseconds)
            #expect(RFC3339.time(RFC3339.text(time)) == time)
        }
        #expect(RFC3339.time("2024-02-29T23:30:00-01:00") == RFC3339.time("2024-03-01T00:30:00Z"))
        for text in [
            "", "2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00", "2024-01-01",
            "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+1:00", "2024-01-01T00:00:00Zx", "1969-12-31T23:59:59Z", "２024-01-01T00:00:00Z",
        ] { #expect(RFC3339.time(text) == nil, "\(text)") }
    }
}
