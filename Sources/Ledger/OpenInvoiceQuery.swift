internal import Payments

/// The statements that count a key's open invoices.
enum OpenInvoiceQuery {
    static func count(_ invoices: [CountedInvoice]) -> Step {
        var keys = Column(TypeID.text), hashes = Column(TypeID.bytea), limits = Column(TypeID.bigint)
        for invoice in invoices {
            keys.append(invoice.keyID)
            hashes.append(invoice.paymentHash.bytes)
            limits.append(invoice.limit)
        }
        var parameters = Parameters()
        for column in [keys, hashes, limits] { parameters.append(column) }
        return Step(
            Statement("count invoices", "SELECT leyden_count_invoices($1, $2, $3)", [keys.arrayType, hashes.arrayType, limits.arrayType]),
            parameters)
    }

    static func uncount(_ hashes: [PaymentHash]) -> Step {
        var column = Column(TypeID.bytea)
        for hash in hashes { column.append(hash.bytes) }
        var parameters = Parameters()
        parameters.append(column)
        return Step(Statement("uncount invoices", "SELECT leyden_uncount_invoices($1)", [column.arrayType]), parameters)
    }

    /// Uncounts what has ended without anybody telling: the process that would have was gone. What was counted and never
    /// made is given time to be made.
    static let settleUp = Step(Statement("settle up counts", """
        SELECT leyden_uncount_invoices(coalesce(array_agg(c.payment_hash), '{}')) FROM counted_invoices c
        LEFT JOIN invoices i ON i.payment_hash = c.payment_hash
        WHERE i.state IN ('settled', 'canceled', 'expired', 'failed')
            OR i.payment_hash IS NULL AND c.counted_at < clock_timestamp() - interval '10 minutes'
        """))

    static let isAny = Step(Statement("any counted", "SELECT EXISTS (SELECT FROM counted_invoices)"))
}
