internal import ArgumentParser
internal import Foundation
internal import Payments
internal import Wire

extension Invoice {
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the books: what was received, and what payers left to the virtual channels.",
            discussion: "A table for a spreadsheet (CSV), or with --json an object on each line, oldest first. The sums go to standard error.")
        @Option(help: "Begin with this time, such as 2026-11-01T00:00:00Z.") var from: String?
        @Option(help: "End before this time instead of now.") var until: String?
        @OptionGroup var gateway: GatewayOptions

        func run() async throws {
            let client = try gateway.client()
            // One end for all pages.
            var query = ["until": until ?? Date.now.ISO8601Format(), "limit": "1000"]
            if let from { query["from"] = from }
            var totals = Totals()
            var hasHead = false
            while true {
                let page = try await client.call("GET", "/v1/export", query: query)
                try totals.add(page)
                let objects = page.objects("lines")
                if gateway.json {
                    for object in objects { Console.line(object.line) }
                } else {
                    let lines = objects.compactMap(BookLine.init)
                    guard lines.count == objects.count else { throw CommandError("the gateway has other lines than this version knows") }
                    Console.text(String(decoding: BookCodec.csv(lines, head: !hasHead), as: UTF8.self))
                    hasHead = true
                }
                guard let next = page.text("next") else { break }
                query["after"] = next
            }
            Console.error(totals.text)
        }
    }

    /// Sums over all pages.
    private struct Totals {
        private var sums = [UInt64](repeating: 0, count: names.count)
        private static let names = ["payments", "payments_msat", "fees_msat", "payouts", "payouts_msat", "payout_fees_msat"]

        mutating func add(_ page: JSONObject) throws {
            let totals = page.object("totals")
            for (index, name) in Self.names.enumerated() {
                let (sum, isTooMuch) = sums[index].addingReportingOverflow(totals?.text(name).flatMap(UInt64.init) ?? 0)
                guard !isTooMuch else { throw CommandError("\(name) of the pages is more than can be") }
                sums[index] = sum
            }
        }

        var text: String {
            "\(sums[0]) payments of \(sums[1]) msat, fees of \(sums[2]) msat, \(sums[3]) payouts of \(sums[4]) msat, fees of \(sums[5]) msat"
        }
    }
}

extension BookLine {
    fileprivate init?(_ object: JSONObject) {
        func amount(_ key: String) -> Millisatoshis? { object.text(key).flatMap(UInt64.init).map { Millisatoshis($0) } }
        guard let kind = object.text("type").flatMap(Kind.init), let time = object.text("time").flatMap(RFC3339.time),
            let hash = object.text("payment_hash").flatMap({ PaymentHash(hex: $0) }), let state = object.text("state").flatMap(InvoiceState.init),
            let received = amount("amount_msat")
        else { return nil }
        self.init(
            kind: kind, time: time, paymentHash: hash, setID: object.text("set_id").flatMap { SetID(hex: $0) }, orderID: object.text("order_id"),
            description: object.text("description"), state: state, asked: amount("asked_msat"), amount: received)
    }
}
