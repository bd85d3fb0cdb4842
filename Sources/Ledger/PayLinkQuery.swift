internal import Payments

/// The statements on pay links and addresses. Those of an owner name the account, whoever guesses an id.
enum PayLinkQuery {
    private static let columns = """
        l.id, l.number, l.account, l.name, l.host, l.description, l.long_description, l.min_msat, l.max_msat, l.comment_allowed,
        l.success_action, l.payer_data, l.is_disposable, l.metadata, l.order_id, l.payment_hash, l.expires_at, l.is_enabled, l.is_deleted,
        l.shown, l.created_at, l.version,
        l.payment_hash IS NOT NULL AND EXISTS (SELECT FROM invoices i WHERE i.payment_hash = l.payment_hash AND i.state <> 'open'),
        l.payment_hash IS NOT NULL AND EXISTS (SELECT FROM invoices i WHERE i.payment_hash = l.payment_hash AND i.state = 'settled')
        """
    private static let nextVersion = "WITH c AS (UPDATE pay_link_changes SET version = version + 1 RETURNING version)"

    /// Nothing is inserted if the name is taken or the account has `limit` links. One that is there already, from an earlier attempt of the same
    /// request, stays as it is.
    static func insert(_ link: PayLinkRecord, limit: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(link.id)
        parameters.append(link.account)
        parameters.append(link.name)
        parameters.append(link.host)
        append(link, to: &parameters)
        parameters.append(link.orderID)
        parameters.append(link.paymentHash?.bytes)
        parameters.append(link.expiresAt)
        parameters.append(link.createdAt)
        parameters.append(limit)
        return Step(
            Statement("insert pay link", """
                \(nextVersion), l AS (
                    INSERT INTO pay_links (id, account, name, host, description, long_description, min_msat, max_msat, comment_allowed,
                        success_action, payer_data, is_disposable, metadata, is_enabled, shown, order_id, payment_hash, expires_at, created_at, version)
                    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, c.version FROM c
                    WHERE (SELECT count(*) FROM pay_links WHERE account = $2 AND NOT is_deleted) < $20
                        AND NOT EXISTS (SELECT FROM pay_links WHERE host = $4 AND name = $3 AND NOT is_deleted AND id <> $1)
                    ON CONFLICT (id) DO UPDATE SET version = excluded.version
                    WHERE pay_links.account = excluded.account AND NOT pay_links.is_deleted RETURNING *)
                SELECT \(columns) FROM l
                """,
                [TypeID.text, TypeID.bigint, TypeID.text, TypeID.text] + types
                    + [TypeID.text, TypeID.bytea, TypeID.timestamp, TypeID.timestamp, TypeID.bigint]),
            parameters)
    }

    /// Writes what its owner may change.
    static func update(_ link: PayLinkRecord) -> Step {
        var parameters = Parameters()
        parameters.append(link.id)
        parameters.append(link.account)
        append(link, to: &parameters)
        return Step(
            Statement("update pay link", """
                \(nextVersion), l AS (
                    UPDATE pay_links SET description = $3, long_description = $4, min_msat = $5, max_msat = $6, comment_allowed = $7,
                        success_action = $8, payer_data = $9, is_disposable = $10, metadata = $11, is_enabled = $12, shown = $13, version = c.version
                    FROM c WHERE id = $1 AND account = $2 AND NOT is_deleted RETURNING pay_links.*)
                SELECT \(columns) FROM l
                """, [TypeID.text, TypeID.bigint] + types),
            parameters)
    }

    private static let types = [
        TypeID.text, TypeID.text, TypeID.bigint, TypeID.bigint, TypeID.bigint, TypeID.text, TypeID.text, TypeID.boolean, TypeID.text, TypeID.boolean,
        TypeID.text,
    ]

    private static func append(_ link: PayLinkRecord, to parameters: inout Parameters) {
        parameters.append(link.description)
        parameters.append(link.longDescription)
        parameters.append(Int64(bitPattern: link.minimum.value))
        parameters.append(Int64(bitPattern: link.maximum.value))
        parameters.append(link.commentAllowed)
        parameters.append(link.successAction)
        parameters.append(link.payerData)
        parameters.append(link.isDisposable)
        parameters.append(link.metadata)
        parameters.append(link.isEnabled)
        parameters.append(link.shown)
    }

    static func delete(_ id: String, account: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(account)
        return Step(
            Statement("delete pay link", """
                \(nextVersion), l AS (
                    UPDATE pay_links SET is_deleted = true, version = c.version
                    FROM c WHERE id = $1 AND account = $2 AND NOT is_deleted RETURNING pay_links.*)
                SELECT \(columns) FROM l
                """, [TypeID.text, TypeID.bigint]),
            parameters)
    }

    /// An account's links, or its addresses, after one's number, oldest first.
    static func page(account: Int64, addresses: Bool, after number: Int64, limit: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(number)
        parameters.append(addresses)
        parameters.append(limit)
        return Step(
            Statement("pay links", """
                SELECT \(columns) FROM pay_links l
                WHERE l.account = $1 AND l.number > $2 AND (l.name IS NOT NULL) = $3 AND NOT l.is_deleted ORDER BY l.number LIMIT $4
                """, [TypeID.bigint, TypeID.bigint, TypeID.boolean, TypeID.bigint]),
            parameters)
    }

    static func one(_ id: String, account: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(account)
        return Step(
            Statement("pay link", """
                SELECT \(columns) FROM pay_links l WHERE (l.id = $1 OR l.name = $1) AND l.account = $2 AND NOT l.is_deleted
                """, [TypeID.text, TypeID.bigint]),
            parameters)
    }

    /// Every link that was changed after that version, whoever's it is. In the order of their versions: of the same transaction, or committed
    /// before, since each waits for the counter's row.
    static func changed(after version: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(version)
        return Step(
            Statement("changed pay links", """
                SELECT \(columns) FROM pay_links l WHERE l.version > $1 AND ($1 > 0 OR NOT l.is_deleted) ORDER BY l.version LIMIT 1000
                """, [TypeID.bigint]),
            parameters)
    }

    static func read(_ rows: Rows) -> [PayLinkRecord] {
        (0..<rows.count).map { row in
            var link = PayLinkRecord(id: rows.text(row, 0), account: rows.integer(row, 2), createdAt: rows.time(row, 20))
            link.number = rows.integer(row, 1)
            link.name = rows.optional(row, 3, rows.text)
            link.host = rows.optional(row, 4, rows.text)
            link.description = rows.text(row, 5)
            link.longDescription = rows.optional(row, 6, rows.text)
            link.minimum = Millisatoshis(rows.unsigned(row, 7))
            link.maximum = Millisatoshis(rows.unsigned(row, 8))
            link.commentAllowed = rows.integer(row, 9)
            link.successAction = rows.optional(row, 10, rows.text)
            link.payerData = rows.optional(row, 11, rows.text)
            link.isDisposable = rows.flag(row, 12)
            link.metadata = rows.optional(row, 13, rows.text)
            link.orderID = rows.optional(row, 14, rows.text)
            link.paymentHash = rows.optional(row, 15, rows.bytes32).map(PaymentHash.init)
            link.expiresAt = rows.optional(row, 16, rows.time)
            link.isEnabled = rows.flag(row, 17)
            link.isDeleted = rows.flag(row, 18)
            link.shown = rows.text(row, 19)
            link.version = rows.integer(row, 21)
            link.isTaken = rows.flag(row, 22)
            link.isPaid = rows.flag(row, 23)
            return link
        }
    }
}
