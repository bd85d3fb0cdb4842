internal import Payments

/// Reads the outbox.
///
/// A reader can trust every offset it sees: writers take offsets under the lock of the `stream` row and hold it until
/// they have committed, so nothing appears later below an offset that was visible.
enum EventQuery {
    static let position = Step(Statement("stream", """
        SELECT epoch, head, term, leader, leader IS NOT NULL AND lease_until > clock_timestamp(), first FROM stream
        """))

    private static let columns = "\"offset\", id, type, account, payment_hash, time, data"

    /// What came after an offset for each of many invoices, those of one invoice together.
    static func of(_ places: [InvoicePlace], limit: Int) -> Step {
        var hashes = Column(TypeID.bytea)
        var offsets = Column(TypeID.bigint)
        for place in places {
            hashes.append(place.paymentHash.bytes)
            offsets.append(place.after)
        }
        var parameters = Parameters()
        parameters.append(hashes)
        parameters.append(offsets)
        parameters.append(Int64(max(1, limit)))
        return Step(
            Statement("events of invoices", """
                SELECT \(columns), n FROM unnest($1, $2) WITH ORDINALITY q (hash, after, n) CROSS JOIN LATERAL (
                    SELECT \(columns) FROM events WHERE payment_hash = q.hash AND "offset" > q.after ORDER BY "offset" LIMIT $3) e
                ORDER BY n, "offset"
                """, [hashes.arrayType, offsets.arrayType, TypeID.bigint]),
            parameters)
    }

    /// A statement for each set of filters, so that each has the plan it needs.
    static func after(_ offset: Int64, limit: Int, account: Int64?, types: [EventType]?) -> Step {
        var parameters = Parameters()
        parameters.append(offset)
        parameters.append(Int64(max(1, limit)))
        var kinds = [TypeID.bigint, TypeID.bigint]
        var text = "SELECT \(columns) FROM events WHERE \"offset\" > $1"
        var name = "events"
        if let account {
            parameters.append(account)
            kinds.append(TypeID.bigint)
            text += " AND account = $\(kinds.count)"
            name += " of account"
        }
        if let types {
            var column = Column(TypeID.text)
            for type in types { column.append(type.rawValue) }
            parameters.append(column)
            kinds.append(column.arrayType)
            text += " AND type = ANY ($\(kinds.count))"
            name += " of types"
        }
        return Step(Statement(name, text + " ORDER BY \"offset\" LIMIT $2", kinds), parameters)
    }

    static func readPosition(_ rows: Rows) -> StreamPosition {
        StreamPosition(
            epoch: rows.text(0, 0), head: rows.integer(0, 1), first: rows.integer(0, 5), term: rows.integer(0, 2),
            leader: rows.optional(0, 3, rows.text), isLed: rows.flag(0, 4))
    }

    /// As many events as there are rows: readers tell the end of the log by a page that is not full.
    static func read(_ rows: Rows) -> [PublishedEvent] { (0..<rows.count).map { read(rows, $0) } }

    static func read(_ rows: Rows, _ row: Int) -> PublishedEvent {
        PublishedEvent(
            offset: rows.integer(row, 0), id: rows.text(row, 1), type: EventType(rawValue: rows.text(row, 2)), account: rows.integer(row, 3),
            paymentHash: rows.optional(row, 4, rows.bytes32).map(PaymentHash.init), time: rows.time(row, 5), data: rows.text(row, 6))
    }
}
