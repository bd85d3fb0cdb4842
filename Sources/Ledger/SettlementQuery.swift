internal import Payments

extension Migration {
    /// What was asked to be settled, in the order of the requests, numbered without gaps for each account: lists that are
    /// read on from a number miss nothing. Rows are only added.
    ///
    /// Of what was asked for before, the log tells the order as far back as it is kept; what is older goes before it.
    static let settlements = [
        """
        CREATE TABLE settlements (
            account bigint NOT NULL,
            sequence bigint NOT NULL,
            payment_hash bytea NOT NULL,
            requested_at timestamptz NOT NULL,
            PRIMARY KEY (account, sequence)
        )
        """,
        """
        INSERT INTO settlements (account, sequence, payment_hash, requested_at)
        SELECT i.account, row_number() OVER (PARTITION BY i.account ORDER BY e."offset" NULLS FIRST, i.number), i.payment_hash,
            coalesce(e.time, i.settled_at, i.created_at)
        FROM invoices i LEFT JOIN events e ON e.payment_hash = i.payment_hash AND e.type = 'invoice.settle_requested'
        WHERE i.state IN ('settle_requested', 'settled', 'failed')
        """,
    ]
}

/// Reads what was asked to be settled.
enum SettlementQuery {
    static func page(account: Int64, from sequence: Int64, limit: Int) -> Step {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(sequence)
        parameters.append(Int64(max(1, limit)))
        return Step(
            Statement("settlements", """
                SELECT s.sequence, s.payment_hash, i.preimage, i.received_msat, i.state::text, s.requested_at,
                    CASE i.state WHEN 'settled' THEN i.settled_at WHEN 'failed' THEN (
                        SELECT max(x.resolved_at) FROM htlcs x WHERE x.payment_hash = i.payment_hash AND x.set_id = i.set_id) END
                FROM settlements s JOIN invoices i ON i.payment_hash = s.payment_hash
                WHERE s.account = $1 AND s.sequence >= $2 ORDER BY s.sequence LIMIT $3
                """, [TypeID.bigint, TypeID.bigint, TypeID.bigint]),
            parameters)
    }

    static func read(_ rows: Rows) throws(LedgerError) -> [RequestedSettlement] {
        try (0..<rows.count).map { row throws(LedgerError) in
            RequestedSettlement(
                sequence: rows.integer(row, 0), paymentHash: PaymentHash(rows.bytes32(row, 1)),
                preimage: rows.optional(row, 2, rows.bytes32).map(Preimage.init), received: Millisatoshis(rows.unsigned(row, 3)),
                state: try rows.state(row, 4), requestedAt: rows.time(row, 5),
                finalizedAt: rows.optional(row, 6, rows.time))
        }
    }
}
