import Payments
import Testing
import Wire

@Suite struct BookCodecTests {
    private func line(_ kind: BookLine.Kind = .payment, description: String? = nil, orderID: String? = nil, amount: UInt64 = 1000) -> BookLine {
        BookLine(
            kind: kind, time: UnixTime(seconds: 0), paymentHash: PaymentHash(Bytes32()), setID: nil, orderID: orderID, description: description,
            state: .settled, asked: Millisatoshis(900), amount: Millisatoshis(amount))
    }

    private func row(_ line: BookLine) -> String {
        let text = String(decoding: BookCodec.csv([line]), as: UTF8.self)
        return String(text.split(separator: "\r\n", maxSplits: 1)[1].dropLast())
    }

    @Test("What a spreadsheet would take for a formula is disarmed", arguments: [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", #"=HYPERLINK("http://x","y")"#,
    ])
    func formulas(text: String) {
        for row in [row(line(description: text)), row(line(orderID: text))] {
            #expect(row.contains("'" + text.replacing("\"", with: "\"\"")))
            #expect(!row.contains("," + text) && !row.contains(",\"" + text))
        }
    }

    @Test("Cells with commas, quotes and ends of lines are quoted, others are as they are", arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("two\nlines", "\"two\nlines\""), ("é ☕", "é ☕"), ("a=b", "a=b"),
    ])
    func quotes(text: String, cell: String) {
        let zeros = String(repeating: "0", count: 64)
        #expect(row(line(description: text)) == "payment,1970-01-01T00:00:00Z,\(zeros),,,\(cell),settled,900,1000")
    }

    @Test("Totals are those of their lines")
    func totals() throws {
        let lines = [line(amount: 5), line(.fee, amount: 2), line(amount: 7), line(.payout, amount: 11), line(.payoutFee, amount: 1)]
        let json = try JSONReader.read(BookCodec.json(lines, next: nil))
        #expect(json["totals"]?["payments"]?.integer == 2 && json["totals"]?["payments_msat"]?.integer == 12)
        #expect(json["totals"]?["fees_msat"]?.integer == 2 && json["totals"]?["payouts"]?.integer == 1)
        #expect(json["totals"]?["payouts_msat"]?.integer == 11 && json["totals"]?["payout_fees_msat"]?.integer == 1)
        #expect(json["next"]?.isNull == true && json["lines"]?.items?.count == 5)
    }
}
