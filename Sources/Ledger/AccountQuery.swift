internal import Payments

/// The statements on accounts.
enum AccountQuery {
    private static let columns = "id, name, created_at"

    /// Made from the same origin twice it is the same account.
    static func insert(_ name: String, origin: Bytes32, at time: UnixTime) -> Step {
        var parameters = Parameters()
        parameters.append(name)
        parameters.append(origin)
        parameters.append(time)
        return Step(
            Statement("insert account", """
                INSERT INTO accounts (name, origin, created_at) VALUES ($1, $2, $3)
                ON CONFLICT (origin) DO UPDATE SET origin = excluded.origin RETURNING \(columns)
                """, [TypeID.text, TypeID.bytea, TypeID.timestamp]),
            parameters)
    }

    /// Asks for one more than the limit, to know whether there is a next page. With `only` there is no other.
    static func page(only account: Int64?, after id: Int64, limit: Int) -> Step {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(id)
        parameters.append(Int64(limit) + 1)
        return Step(
            Statement("accounts", """
                SELECT \(columns) FROM accounts WHERE ($1 IS NULL OR id = $1) AND id > $2 ORDER BY id LIMIT $3
                """, [TypeID.bigint, TypeID.bigint, TypeID.bigint]),
            parameters)
    }

    static func read(_ rows: Rows) -> [AccountRecord] {
        (0..<rows.count).map { AccountRecord(id: rows.integer($0, 0), name: rows.text($0, 1), createdAt: rows.time($0, 2)) }
    }
}
