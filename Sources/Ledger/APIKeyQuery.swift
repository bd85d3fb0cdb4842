internal import Payments

/// The statements on API keys.
enum APIKeyQuery {
    private static let columns = """
        id, name, hash, scopes, account, created_at, revoked_at, expires_at, generation, previous_hash, previous_until, last_used_at,
        rate, open_invoices, changed, budget_msat
        """

    /// Whoever counts an account's keys must be the only one to add some.
    static func lock(account: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(account)
        return Step(Statement("lock account", "SELECT id FROM accounts WHERE id = $1 FOR NO KEY UPDATE", [TypeID.bigint]), parameters)
    }

    /// Without a limit the valid keys of the account are not counted.
    static func insert(_ key: APIKeyRecord, limit: Int64?) -> Step {
        var scopes = Column(TypeID.text)
        for scope in key.scopes { scopes.append(scope) }
        var parameters = Parameters()
        parameters.append(key.id)
        parameters.append(key.name)
        parameters.append(key.hash)
        parameters.append(scopes)
        parameters.append(key.account)
        parameters.append(key.createdAt)
        parameters.append(key.expiresAt)
        parameters.append(key.limits.rate)
        parameters.append(key.limits.openInvoices)
        parameters.append(limit)
        parameters.append(key.limits.budget)
        return Step(
            Statement("insert key", """
                WITH room AS (
                    SELECT $10 IS NULL OR $10 > (
                        SELECT count(*) FROM api_keys WHERE account = $5 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $6)
                    ) AS is_there
                ), made AS (
                    INSERT INTO api_keys (id, name, hash, scopes, account, created_at, expires_at, rate, open_invoices, budget_msat)
                    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $11 FROM room WHERE is_there AND EXISTS (SELECT FROM accounts WHERE id = $5)
                    ON CONFLICT DO NOTHING RETURNING id
                )
                SELECT EXISTS (SELECT FROM made), is_there FROM room
                """, [
                    TypeID.text, TypeID.text, TypeID.bytea, scopes.arrayType, TypeID.bigint, TypeID.timestamp, TypeID.timestamp, TypeID.bigint,
                    TypeID.bigint, TypeID.bigint, TypeID.bigint,
                ]),
            parameters)
    }

    static func readInsertion(_ rows: Rows) -> APIKeyInsertion {
        rows.flag(0, 0) ? .made : rows.flag(0, 1) ? .refused : .full
    }

    /// By either of its secrets, whatever has become of it.
    static func one(hash: Bytes32) -> Step {
        var parameters = Parameters()
        parameters.append(hash)
        return Step(
            Statement("key of hash", "SELECT \(columns) FROM api_keys WHERE hash = $1 OR previous_hash = $1", [TypeID.bytea]), parameters)
    }

    static func many(_ ids: [String]) -> Step {
        var column = Column(TypeID.text)
        for id in ids { column.append(id) }
        var parameters = Parameters()
        parameters.append(column)
        return Step(Statement("keys of list", "SELECT \(columns) FROM api_keys WHERE id = ANY ($1)", [column.arrayType]), parameters)
    }

    /// Those that were used last.
    static func recent(limit: Int) -> Step {
        var parameters = Parameters()
        parameters.append(Int64(limit))
        return Step(
            Statement("keys used last", """
                SELECT \(columns) FROM api_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
                ORDER BY last_used_at DESC NULLS LAST LIMIT $1
                """, [TypeID.bigint]),
            parameters)
    }

    /// Asks for one more than the limit, to know whether there is a next page.
    static func page(account: Int64?, after id: String?, limit: Int) -> Step {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(id ?? "")
        parameters.append(Int64(limit) + 1)
        return Step(
            Statement("keys", """
                SELECT \(columns) FROM api_keys WHERE ($1 IS NULL OR account = $1) AND id > $2 ORDER BY id LIMIT $3
                """, [TypeID.bigint, TypeID.text, TypeID.bigint]),
            parameters)
    }

    /// `account` is `nil` for whoever may end every account's. Ending it twice changes nothing.
    static func revoke(_ id: String, account: Int64?, at time: UnixTime) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(account)
        parameters.append(time)
        return Step(
            Statement("revoke key", """
                UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE id = $1 AND ($2 IS NULL OR account = $2) RETURNING \(columns)
                """, [TypeID.text, TypeID.bigint, TypeID.timestamp]),
            parameters)
    }

    /// The present secret becomes the one before; a third is good no more. To rotate to the present secret changes nothing.
    static func rotate(_ id: String, account: Int64?, to hash: Bytes32, previousUntil: UnixTime, at time: UnixTime, for lease: ClaimLease?) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(account)
        parameters.append(hash)
        parameters.append(previousUntil)
        parameters.append(time)
        ClaimQuery.append(lease, to: &parameters)
        return Step(
            Statement("rotate key", """
                WITH o AS (SELECT leyden_carry_out($6, $7, $8) AS is_first)
                UPDATE api_keys SET hash = CASE WHEN is_first THEN $3 ELSE hash END,
                    generation = CASE WHEN is_first AND hash <> $3 THEN generation + 1 ELSE generation END,
                    previous_hash = CASE WHEN is_first AND hash <> $3 THEN hash ELSE previous_hash END,
                    previous_until = CASE WHEN is_first AND hash <> $3 THEN $4 ELSE previous_until END
                FROM o
                WHERE id = $1 AND ($2 IS NULL OR account = $2) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $5)
                RETURNING \(columns)
                """, [TypeID.text, TypeID.bigint, TypeID.bytea, TypeID.timestamp, TypeID.timestamp] + ClaimQuery.leaseTypes),
            parameters)
    }

    /// At most once a minute for each key, whoever tells it.
    static func used(_ times: [String: UnixTime]) -> Step {
        var ids = Column(TypeID.text)
        var moments = Column(TypeID.timestamp)
        for (id, time) in times.sorted(by: { $0.key < $1.key }) {
            ids.append(id)
            moments.append(time)
        }
        var parameters = Parameters()
        parameters.append(ids)
        parameters.append(moments)
        return Step(
            Statement("keys used", """
                UPDATE api_keys k SET last_used_at = u.time FROM unnest($1, $2) u (id, time)
                WHERE k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < u.time - interval '59 seconds')
                """, [ids.arrayType, moments.arrayType]),
            parameters)
    }

    static func read(_ rows: Rows) -> [APIKeyRecord] {
        (0..<rows.count).map { row in
            APIKeyRecord(
                id: rows.text(row, 0), name: rows.text(row, 1), hash: rows.bytes32(row, 2), scopes: rows.texts(row, 3),
                account: rows.integer(row, 4), createdAt: rows.time(row, 5), revokedAt: rows.optional(row, 6, rows.time),
                expiresAt: rows.optional(row, 7, rows.time), generation: Int32(truncatingIfNeeded: rows.integer(row, 8)),
                previousHash: rows.optional(row, 9, rows.bytes32), previousUntil: rows.optional(row, 10, rows.time),
                lastUsedAt: rows.optional(row, 11, rows.time),
                limits: KeyLimits(rate: rows.optional(row, 12, rows.integer), openInvoices: rows.optional(row, 13, rows.integer), budget: rows.optional(row, 15, rows.integer)),
                changed: rows.integer(row, 14))
        }
    }
}
