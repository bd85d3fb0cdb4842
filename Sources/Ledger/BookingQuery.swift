internal import Payments

/// Reads the books: ended payments with what the settled parts of their last set brought, and payouts that arrived.
///
/// A page's cursor counts both: twice the number of an invoice, and one more than that of a payout.
enum BookingQuery {
    /// Asks for one more than the limit, to know whether there is a next page.
    static func page(_ search: BookingSearch) -> Step {
        var parameters = Parameters()
        parameters.append(search.account)
        parameters.append(max(search.from, search.after?.time ?? search.from))
        parameters.append(search.until)
        parameters.append(search.after?.time ?? search.from)
        parameters.append(search.after?.number ?? 0)
        parameters.append(Int64(search.limit) + 1)
        return Step(
            Statement("bookings", """
                (SELECT i.booked_at AS time, i.number * 2 AS place, i.payment_hash, i.set_id, i.order_id, i.description, i.state::text, i.amount_msat,
                    h.amount, h.fee
                FROM invoices i CROSS JOIN LATERAL (
                    SELECT sum(x.amount_msat)::bigint AS amount, sum(x.fee_msat)::bigint AS fee FROM htlcs x
                    WHERE x.payment_hash = i.payment_hash AND x.set_id = i.set_id AND x.is_settled) h
                WHERE i.account = $1 AND i.booked_at >= $2 AND i.booked_at < $3 AND (i.booked_at, i.number) > ($4, $5 / 2)
                ORDER BY i.booked_at, i.number LIMIT $6)
                UNION ALL
                (SELECT p.updated_at, p.number * 2 + 1, p.payment_hash, NULL, NULL, p.purpose, 'settled', NULL, p.amount_msat, p.fee_msat
                FROM payouts p
                WHERE p.account = $1 AND p.state = 'settled' AND p.updated_at >= $2 AND p.updated_at < $3 AND (p.updated_at, p.number) > ($4, ($5 - 1) / 2)
                ORDER BY p.updated_at, p.number LIMIT $6)
                ORDER BY time, place LIMIT $6
                """, [TypeID.bigint, TypeID.timestamp, TypeID.timestamp, TypeID.timestamp, TypeID.bigint, TypeID.bigint]),
            parameters)
    }

    /// Payments of which nothing was received at last are no bookings.
    static func readPage(_ rows: Rows, _ search: BookingSearch) throws(LedgerError) -> BookingPage {
        let count = min(rows.count, search.limit)
        var bookings: [Booking] = []
        for row in 0..<count {
            guard let amount = rows.optional(row, 8, rows.unsigned) else { continue }
            bookings.append(Booking(
                direction: rows.integer(row, 1) % 2 == 0 ? .received : .paidOut,
                paymentHash: PaymentHash(rows.bytes32(row, 2)), setID: rows.optional(row, 3, rows.bytes32).map(SetID.init),
                orderID: rows.optional(row, 4, rows.text), description: rows.optional(row, 5, rows.text), state: try rows.state(row, 6),
                asked: rows.optional(row, 7, rows.unsigned).map { Millisatoshis($0) }, amount: Millisatoshis(amount),
                fee: Millisatoshis(rows.unsigned(row, 9)), time: rows.time(row, 0)))
        }
        let next = rows.count > count ? PageCursor(time: rows.time(count - 1, 0), number: rows.integer(count - 1, 1)) : nil
        return BookingPage(bookings: bookings, next: next)
    }
}
