internal import Edge
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

// The books, page by page: what was received, what it left to the virtual channels, and what was paid out.
extension GatewayAPI {
    private static let parameters: Set<String> = ["from", "until", "format", "after", "limit"]
    private enum Format: String { case csv, json }

    func export(_ exchange: Exchange, _ account: Int64) {
        if let name = exchange.strangeParameter(known: Self.parameters.contains) { return exchange.refuse(.strangeParameter(name)) }
        guard let format = Format(rawValue: exchange.request.query["format"] ?? "json") else { return exchange.refuse(.invalidQuery("format")) }
        guard let limit = exchange.number("limit", default: 500, in: 1...1000) else { return exchange.refuse(.invalidQuery("limit")) }
        guard let cursor = exchange.cursor() else { return exchange.refuse(.invalidQuery("after")) }
        guard case let from?? = exchange.time("from", default: UnixTime(seconds: 0)) else { return exchange.refuse(.invalidQuery("from")) }
        guard case let until?? = exchange.time("until", default: gateway.now) else { return exchange.refuse(.invalidQuery("until")) }
        let search = BookingSearch(account: account, from: from, until: until, after: cursor, limit: Int(limit))
        ledger.bookings(search) { result in
            guard case .success(let page) = result else { return exchange.refuse(.unavailable) }
            let lines = page.bookings.flatMap(BookLine.lines)
            switch format {
            case .json:
                exchange.respond(BookCodec.json(lines, next: page.next?.text))
            case .csv:
                // The way on stands beside the table, in which it would be a row (RFC 8288).
                let next = page.next.map { next in
                    let times = "from=\(RFC3339.text(from))&until=\(RFC3339.text(until))"
                    return HTTPResponse.Header("link", "</v1/export?format=csv&\(times)&limit=\(limit)&after=\(next.text)>; rel=\"next\"")
                }
                exchange.respond(BookCodec.csv(lines), contentType: "text/csv; charset=utf-8; header=present", headers: next.map { [$0] } ?? [])
            }
        }
    }
}

extension BookLine {
    /// A payment or a payout, and the fee that came with it, if there was one.
    static func lines(_ booking: Booking) -> [Self] {
        let (kind, feeKind): (Kind, Kind) = booking.direction == .received ? (.payment, .fee) : (.payout, .payoutFee)
        let payment = BookLine(
            kind: kind, time: booking.time, paymentHash: booking.paymentHash, setID: booking.setID, orderID: booking.orderID,
            description: booking.description, state: booking.state, asked: booking.asked, amount: booking.amount)
        guard booking.fee > .zero else { return [payment] }
        var fee = payment
        fee.kind = feeKind
        fee.asked = nil
        fee.amount = booking.fee
        return [payment, fee]
    }
}
