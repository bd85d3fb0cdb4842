internal import Payments

/// Reads the outbox.
///
/// A reader can trust every offset it sees: writers take offsets under the lock of the `stream` row and hold it until
/// they have committed, so nothing appears later below an offset that was visible.
enum EventQuery {
    static let position = Step(Statement("stream", """
        SELECT epoch, head, term, leader, leader IS NOT NULL AND lease_until > clock_timestamp() FROM stream
        """))

    /// A statement for each set of filters, so that each has the plan it needs.
    static func after(_ offset: Int64, limit: Int, account: Int64?, types: [EventType]?, paymentHash: PaymentHash?) -> Step {
        var parameters = Parameters()
        parameters.append(offset)
        parameters.append(Int64(max(1, limit)))
        var kinds = [TypeID.bigint, TypeID.bigint]
        var text = "SELECT \"offset\", id, type, account, payment_hash, time, data FROM events WHERE \"offset\" > $1"
        var name = "events"
        if let account {
            parameters.append(account)
            kinds.append(TypeID.bigint)
            text += " AND account = $\(kinds.count)"
            name += " of account"
        }
        if let paymentHash {
            parameters.append(paymentHash.bytes)
            kinds.append(TypeID.bytea)
            text += " AND payment_hash = $\(kinds.count)"
            name += " of invoice"
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

    /// As many events as there are rows: readers tell the end of the log by a page that is not full.
    static func read(_ rows: Rows) -> [PublishedEvent] {
        (0..<rows.count).map { row in
            PublishedEvent(
                offset: rows.integer(row, 0), id: rows.text(row, 1), type: EventType(rawValue: rows.text(row, 2)), account: rows.integer(row, 3),
                paymentHash: rows.optional(row, 4, rows.bytes32).map(PaymentHash.init), time: rows.time(row, 5), data: rows.text(row, 6))
        }
    }
}
