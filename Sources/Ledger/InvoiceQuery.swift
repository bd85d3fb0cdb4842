internal import Payments

/// Reads invoices as the outside sees them.
enum InvoiceQuery {
    private static let columns = """
        i.number, i.payment_hash, i.account, i.payment_request, i.amount_msat, i.expires_at, i.settlement, i.is_stored, i.description,
        i.description_hash, i.metadata, i.state::text, i.received_msat, i.created_at, i.set_id, i.settled_at, i.preimage, i.order_id
        """

    static func one(_ hash: PaymentHash, account: Int64?) -> Step {
        var parameters = Parameters()
        parameters.append(hash.bytes)
        parameters.append(account)
        return Step(
            Statement("invoice", """
                SELECT \(columns) FROM invoices i WHERE payment_hash = $1 AND ($2 IS NULL OR account = $2)
                """, [TypeID.bytea, TypeID.bigint]),
            parameters)
    }

    static func many(_ hashes: [PaymentHash]) -> Step {
        var column = Column(TypeID.bytea)
        for hash in hashes { column.append(hash.bytes) }
        var parameters = Parameters()
        parameters.append(column)
        return Step(Statement("invoices of list", "SELECT \(columns) FROM invoices i WHERE payment_hash = ANY ($1)", [column.arrayType]), parameters)
    }

    /// Of a search by several terms so many invoices are looked at for one page, however few of them fit.
    private static let mostCandidates = 1000

    /// How many rows of ``page(_:)`` may be taken.
    static func most(_ search: InvoiceSearch) -> Int {
        let isFiltered = search.terms.count > 1 || !search.terms.isEmpty && search.state != nil
        return isFiltered ? max(mostCandidates, search.limit) : search.limit
    }

    /// Asks for one row more than may be taken, to know whether there is a next page. A statement for each set of filters,
    /// so that each has the plan it needs. A state is a parameter, so that no index of some states alone can come in between.
    static func page(_ search: InvoiceSearch) -> Step {
        var parameters = Parameters()
        var types = [TypeID.bigint, TypeID.timestamp, TypeID.bigint, TypeID.timestamp, TypeID.bigint]
        parameters.append(search.account)
        let start = min(search.after?.time ?? .distantFuture, search.createdBefore ?? .distantFuture)
        parameters.append(start)
        // Before the first of that time, unless the cursor says how far in it.
        parameters.append(search.after?.time == start ? search.after?.number ?? 0 : 0)
        parameters.append(search.createdAfter ?? .distantPast)
        parameters.append(Int64(most(search)) + 1)
        var state = ""
        if let wanted = search.state {
            parameters.append(wanted.rawValue)
            types.append(TypeID.text)
            state = " AND i.state = $\(types.count)::invoice_state"
        }
        var terms: [String] = []
        for term in search.terms {
            parameters.append(term)
            types.append(TypeID.bigint)
            terms.append("term = $\(types.count)")
        }
        let range = "account = $1 AND (created_at, number) < ($2, $3) AND created_at >= $4"
        let order = "ORDER BY created_at DESC, number DESC LIMIT $5"
        guard let first = terms.first else {
            let text = "SELECT \(columns), created_at, number FROM invoices i WHERE \(range)\(state) \(order)"
            return Step(Statement("invoices" + (state.isEmpty ? "" : " of state"), text, types), parameters)
        }
        let others = terms.dropFirst().map { """
             AND EXISTS (SELECT FROM invoice_terms x WHERE x.account = $1 AND x.\($0) AND x.created_at = t.created_at AND x.number = t.number)
            """ }
        let text = """
            SELECT \(columns), t.created_at, t.number
            FROM (SELECT account, created_at, number FROM invoice_terms WHERE \(range) AND \(first) \(order)) t
            LEFT JOIN invoices i ON i.account = t.account AND i.created_at = t.created_at AND i.number = t.number\(state)\(others.joined())
            ORDER BY t.created_at DESC, t.number DESC
            """
        return Step(Statement("invoices of \(terms.count) terms" + (state.isEmpty ? "" : " and state"), text, types), parameters)
    }

    /// The part of a page's rows that was wanted, and where to go on.
    static func readPage(_ rows: Rows, _ search: InvoiceSearch) throws(LedgerError) -> InvoicePage {
        var invoices: [InvoiceRecord] = []
        var taken = 0
        while taken < min(rows.count, most(search)), invoices.count < search.limit {
            // A candidate that does not fit has its place alone.
            if !rows.isNull(taken, 1) { invoices.append(try read(rows, taken)) }
            taken += 1
        }
        let next = taken < rows.count ? PageCursor(time: rows.time(taken - 1, 18), number: rows.integer(taken - 1, 19)) : nil
        return InvoicePage(invoices: invoices, next: next)
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

    static func read(_ rows: Rows) throws(LedgerError) -> [InvoiceRecord] {
        try (0..<rows.count).map { row throws(LedgerError) in try read(rows, row) }
    }

    private static func read(_ rows: Rows, _ row: Int) throws(LedgerError) -> InvoiceRecord {
        let state = try rows.state(row, 11)
        let description: InvoiceRecord.Description? =
            rows.optional(row, 8, rows.text).map { .text($0) } ?? rows.optional(row, 9, rows.bytes32).map { .hash($0) }
        var terms = try rows.terms(row, from: 4)
        terms.account = rows.integer(row, 2)
        return InvoiceRecord(
            paymentHash: PaymentHash(rows.bytes32(row, 1)), account: rows.integer(row, 2), paymentRequest: rows.text(row, 3),
            terms: terms, description: description, metadata: rows.optional(row, 10, rows.text),
            orderID: rows.optional(row, 17, rows.text), state: state, received: Millisatoshis(rows.unsigned(row, 12)),
            createdAt: rows.time(row, 13),
            // A released set is history, which the invoice does not show.
            setID: state == .open ? nil : rows.optional(row, 14, rows.bytes32).map(SetID.init),
            settledAt: rows.optional(row, 15, rows.time), preimage: rows.optional(row, 16, rows.bytes32).map(Preimage.init))
    }
}

extension UnixTime {
    /// Before and after everything that is stored.
    fileprivate static let distantPast = UnixTime(milliseconds: .min)
    fileprivate static let distantFuture = UnixTime(milliseconds: .max)
}
