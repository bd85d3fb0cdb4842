internal import Payments

/// The statements on API keys.
enum APIKeyQuery {
    private static let columns = """
        id, name, hash, scopes, account, created_at, revoked_at, expires_at, generation, previous_hash, previous_until, last_used_at,
        rate, open_invoices
        """

    static func insert(_ key: APIKeyRecord) -> Step {
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
        return Step(
            Statement("insert key", """
                INSERT INTO api_keys (id, name, hash, scopes, account, created_at, expires_at, rate, open_invoices)
                SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 WHERE EXISTS (SELECT FROM accounts WHERE id = $5)
                ON CONFLICT DO NOTHING
                """, [
                    TypeID.text, TypeID.text, TypeID.bytea, scopes.arrayType, TypeID.bigint, TypeID.timestamp, TypeID.timestamp, TypeID.bigint,
                    TypeID.bigint,
                ]),
            parameters)
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
    static func rotate(_ id: String, account: Int64?, to hash: Bytes32, previousUntil: UnixTime, at time: UnixTime) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(account)
        parameters.append(hash)
        parameters.append(previousUntil)
        parameters.append(time)
        return Step(
            Statement("rotate key", """
                UPDATE api_keys SET hash = $3, generation = CASE WHEN hash = $3 THEN generation ELSE generation + 1 END,
                    previous_hash = CASE WHEN hash = $3 THEN previous_hash ELSE hash END,
                    previous_until = CASE WHEN hash = $3 THEN previous_until ELSE $4 END
                WHERE id = $1 AND ($2 IS NULL OR account = $2) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $5)
                RETURNING \(columns)
                """, [TypeID.text, TypeID.bigint, TypeID.bytea, TypeID.timestamp, TypeID.timestamp]),
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
                limits: KeyLimits(rate: rows.optional(row, 12, rows.integer), openInvoices: rows.optional(row, 13, rows.integer)))
        }
    }
}
