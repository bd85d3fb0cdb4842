internal import Payments

/// The statements on questions for a Lightning Address.
enum AddressRequestQuery {
    private static let columns = "id, account, description, order_id, created_at, expires_at, address, answered_at"

    /// One that is there already, from an earlier attempt of the same request, stays as it is.
    static func insert(_ request: AddressRequestRecord) -> Step {
        var parameters = Parameters()
        parameters.append(request.id)
        parameters.append(request.account)
        parameters.append(request.description)
        parameters.append(request.orderID)
        parameters.append(request.createdAt)
        parameters.append(request.expiresAt)
        return Step(
            Statement("insert address request", """
                INSERT INTO address_requests (id, account, description, order_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (id) DO UPDATE SET id = excluded.id WHERE address_requests.account = excluded.account RETURNING \(columns)
                """, [TypeID.text, TypeID.bigint, TypeID.text, TypeID.text, TypeID.timestamp, TypeID.timestamp]),
            parameters)
    }

    /// `account` is `nil` for the wallet that is asked.
    static func one(_ id: String, account: Int64?) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(account)
        return Step(
            Statement("address request", """
                SELECT \(columns) FROM address_requests WHERE id = $1 AND ($2 IS NULL OR account = $2)
                """, [TypeID.text, TypeID.bigint]),
            parameters)
    }

    /// The first answer stands; the same again changes nothing and is as good.
    static func answer(_ id: String, _ address: String, at time: UnixTime) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(address)
        parameters.append(time)
        return Step(
            Statement("answer address request", """
                UPDATE address_requests SET address = $2, answered_at = coalesce(answered_at, $3)
                WHERE id = $1 AND expires_at > $3 AND (address IS NULL OR address = $2) RETURNING id
                """, [TypeID.text, TypeID.text, TypeID.timestamp]),
            parameters)
    }

    static func read(_ rows: Rows) -> AddressRequestRecord? {
        guard rows.count > 0 else { return nil }
        var request = AddressRequestRecord(
            id: rows.text(0, 0), account: rows.integer(0, 1), description: rows.text(0, 2), orderID: rows.optional(0, 3, rows.text),
            createdAt: rows.time(0, 4), expiresAt: rows.time(0, 5))
        request.address = rows.optional(0, 6, rows.text)
        request.answeredAt = rows.optional(0, 7, rows.time)
        return request
    }
}
