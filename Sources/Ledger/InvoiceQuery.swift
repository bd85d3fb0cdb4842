internal import Payments

/// Reads invoices as the outside sees them.
enum InvoiceQuery {
    private static let columns = """
        number, payment_hash, account, payment_request, amount_msat, expires_at, settlement, is_stored, description,
        description_hash, metadata, state::text, received_msat, created_at, set_id, settled_at, preimage
        """

    static func one(_ hash: PaymentHash, account: Int64?) -> Step {
        var parameters = Parameters()
        parameters.append(hash.bytes)
        parameters.append(account)
        return Step(
            Statement("invoice", """
                SELECT \(columns) FROM invoices WHERE payment_hash = $1 AND ($2 IS NULL OR account = $2)
                """, [TypeID.bytea, TypeID.bigint]),
            parameters)
    }

    static func many(_ hashes: [PaymentHash]) -> Step {
        var column = Column(TypeID.bytea)
        for hash in hashes { column.append(hash.bytes) }
        var parameters = Parameters()
        parameters.append(column)
        return Step(Statement("invoices of list", "SELECT \(columns) FROM invoices WHERE payment_hash = ANY ($1)", [column.arrayType]), parameters)
    }

    /// Asks for one more than the limit, to know whether there is a next page. A statement for each set of filters, so
    /// that each has the plan it needs.
    static func page(account: Int64?, state: InvoiceState?, after cursor: Int64?, limit: Int) -> Step {
        var parameters = Parameters()
        parameters.append(cursor ?? .max)
        parameters.append(Int64(limit) + 1)
        var types = [TypeID.bigint, TypeID.bigint]
        var text = "SELECT \(columns) FROM invoices WHERE number < $1"
        var name = "invoices"
        if let account {
            parameters.append(account)
            types.append(TypeID.bigint)
            text += " AND account = $\(types.count)"
            name += " of account"
        }
        if let state {
            // Constant, so that the index of unfinished invoices can serve it.
            text += " AND state = '\(state.rawValue)'"
            name += " \(state.rawValue)"
        }
        return Step(Statement(name, text + " ORDER BY number DESC LIMIT $2", types), parameters)
    }

    static func expired(before time: UnixTime, limit: Int) -> Step {
        var parameters = Parameters()
        parameters.append(time)
        parameters.append(Int64(max(1, limit)))
        return Step(
            Statement("expired", """
                SELECT payment_hash FROM invoices WHERE state = 'open' AND is_stored AND expires_at < $1
                ORDER BY expires_at LIMIT $2
                """, [TypeID.timestamp, TypeID.bigint]),
            parameters)
    }

    /// A state that this version does not know, of a newer one perhaps, must not be taken for another.
    static func read(_ rows: Rows) throws(LedgerError) -> [(number: Int64, invoice: InvoiceRecord)] {
        try (0..<rows.count).map { row throws(LedgerError) in
            guard let state = InvoiceState(rawValue: rows.text(row, 11)) else { throw .unavailable("an invoice has an unknown state") }
            let description: InvoiceRecord.Description? =
                rows.optional(row, 8, rows.text).map { .text($0) } ?? rows.optional(row, 9, rows.bytes32).map { .hash($0) }
            let invoice = InvoiceRecord(
                paymentHash: PaymentHash(rows.bytes32(row, 1)), account: rows.integer(row, 2), paymentRequest: rows.text(row, 3),
                terms: rows.terms(row, from: 4), description: description, metadata: rows.optional(row, 10, rows.text),
                state: state, received: Millisatoshis(rows.unsigned(row, 12)), createdAt: rows.time(row, 13),
                // A released set is history, which the invoice does not show.
                setID: state == .open ? nil : rows.optional(row, 14, rows.bytes32).map(SetID.init),
                settledAt: rows.optional(row, 15, rows.time), preimage: rows.optional(row, 16, rows.bytes32).map(Preimage.init))
            return (rows.integer(row, 0), invoice)
        }
    }
}
