internal import Payments

/// The statements on API keys.
enum APIKeyQuery {
    private static let columns = "id, name, hash, scopes, account, created_at, revoked_at"

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
        return Step(
            Statement("insert key", """
                INSERT INTO api_keys (id, name, hash, scopes, account, created_at) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT DO NOTHING
                """, [TypeID.text, TypeID.text, TypeID.bytea, scopes.arrayType, TypeID.bigint, TypeID.timestamp]),
            parameters)
    }

    static func valid(_ hash: Bytes32) -> Step {
        var parameters = Parameters()
        parameters.append(hash)
        return Step(
            Statement("valid key", "SELECT \(columns) FROM api_keys WHERE hash = $1 AND revoked_at IS NULL", [TypeID.bytea]), parameters)
    }

    static let all = Step(Statement("keys", "SELECT \(columns) FROM api_keys ORDER BY created_at, id"))

    static func revoke(_ id: String, at time: UnixTime) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(time)
        return Step(
            Statement("revoke key", "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", [TypeID.text, TypeID.timestamp]),
            parameters)
    }

    static func read(_ rows: Rows) -> [APIKeyRecord] {
        (0..<rows.count).map { row in
            APIKeyRecord(
                id: rows.text(row, 0), name: rows.text(row, 1), hash: rows.bytes32(row, 2), scopes: rows.texts(row, 3),
                account: rows.integer(row, 4), createdAt: rows.time(row, 5), revokedAt: rows.optional(row, 6, rows.time))
        }
    }
}
