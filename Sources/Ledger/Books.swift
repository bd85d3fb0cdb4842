extension Migration {
    /// Invoices in order of their creation, by state and by what the merchant calls them, and payments in order of their end.
    ///
    /// Search terms are rows of their own: an index on `invoices` would get an entry with every change of a state, these with
    /// the creation alone. They stand in the order of a page, so that the first page of ten million costs what the last does.
    static let books = [
        "ALTER TABLE invoices ADD COLUMN order_id text, ADD COLUMN booked_at timestamptz",
        "ALTER TABLE htlcs ADD COLUMN fee_msat bigint NOT NULL DEFAULT 0",
        """
        UPDATE invoices i SET booked_at = coalesce(i.settled_at,
            (SELECT max(x.resolved_at) FROM htlcs x WHERE x.payment_hash = i.payment_hash AND x.set_id = i.set_id))
        WHERE i.state IN ('settled', 'failed')
        """,
        "DROP INDEX invoices_of_account",
        "CREATE INDEX invoices_of_account ON invoices (account, created_at, number)",
        "CREATE INDEX invoices_of_state ON invoices (account, state, created_at, number)",
        "CREATE INDEX invoices_booked ON invoices (account, booked_at, number) WHERE booked_at IS NOT NULL",
        """
        CREATE TABLE invoice_terms (
            account bigint NOT NULL,
            term bigint NOT NULL,
            created_at timestamptz NOT NULL,
            number bigint NOT NULL,
            PRIMARY KEY (account, term, created_at, number)
        )
        """,
        // jsonb knows no NUL.
        """
        INSERT INTO invoice_terms (account, term, created_at, number)
        SELECT i.account, ('x' || left(encode(sha256(convert_to('metadata.' || m.key || '=' || (m.value #>> '{}'), 'UTF8')), 'hex'), 16))::bit(64)::bigint,
            i.created_at, i.number
        FROM (SELECT * FROM invoices WHERE metadata IS NOT NULL AND strpos(metadata, '\\u0000') = 0) i
        CROSS JOIN LATERAL jsonb_each(i.metadata::jsonb) m
        WHERE jsonb_typeof(m.value) IN ('string', 'number', 'boolean') AND length(m.value #>> '{}') <= 256
        ON CONFLICT DO NOTHING
        """,
        "DROP FUNCTION IF EXISTS leyden_commit",
    ]
}
