internal import Delivery
internal import Payments

/// The statements on webhook endpoints. Those of an owner name the account, whoever guesses an id.
enum WebhookEndpointQuery {
    private static let columns = """
        w.id, w.number, w.account, w.url, w.events, w.description, w.signatures, w.concurrency, w.disabled_reason, w.generation,
        w.previous_until, w.created_at, w.is_deleted, w.version, w.cursor, w.failures, w.failing_since, w.paused_until,
        (SELECT min(d.next_attempt_at) FROM webhook_deliveries d WHERE d.endpoint = w.id AND d.next_attempt_at IS NOT NULL)
        """
    private static let nextVersion = "WITH c AS (UPDATE webhook_changes SET version = version + 1 RETURNING version)"

    /// Events from now on are the endpoint's. Nothing is inserted once the account has `limit` of them. One that is there already, from an
    /// earlier attempt of the same request, stays as it is.
    static func insert(_ endpoint: WebhookEndpointRecord, limit: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(endpoint.id)
        parameters.append(endpoint.account)
        parameters.append(endpoint.url)
        let events = texts(endpoint.events)
        let signatures = texts(endpoint.signatures.map(\.rawValue))
        parameters.append(events)
        parameters.append(endpoint.description)
        parameters.append(signatures)
        parameters.append(endpoint.concurrency)
        parameters.append(endpoint.createdAt)
        parameters.append(limit)
        return Step(
            Statement("insert webhook", """
                \(nextVersion), w AS (
                    INSERT INTO webhook_endpoints (id, account, url, events, description, signatures, concurrency, created_at, version, cursor)
                    SELECT $1, $2, $3, $4, $5, $6, $7, $8, c.version, s.head FROM c, stream s
                    WHERE (SELECT count(*) FROM webhook_endpoints WHERE account = $2 AND NOT is_deleted AND id <> $1) < $9
                    ON CONFLICT (id) DO UPDATE SET version = excluded.version
                    WHERE webhook_endpoints.account = excluded.account AND NOT webhook_endpoints.is_deleted RETURNING *)
                SELECT \(columns) FROM w
                """, [
                    TypeID.text, TypeID.bigint, TypeID.text, events.arrayType, TypeID.text, signatures.arrayType, TypeID.bigint,
                    TypeID.timestamp, TypeID.bigint,
                ]),
            parameters)
    }

    static func one(_ id: String, account: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(account)
        return Step(
            Statement("webhook", "SELECT \(columns) FROM webhook_endpoints w WHERE w.id = $1 AND w.account = $2 AND NOT w.is_deleted", [TypeID.text, TypeID.bigint]),
            parameters)
    }

    static func page(account: Int64, after number: Int64, limit: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(number)
        parameters.append(limit)
        return Step(
            Statement("webhooks", """
                SELECT \(columns) FROM webhook_endpoints w WHERE w.account = $1 AND w.number > $2 AND NOT w.is_deleted ORDER BY w.number LIMIT $3
                """, [TypeID.bigint, TypeID.bigint, TypeID.bigint]),
            parameters)
    }

    /// Writes what its owner says and leaves the rest, which may have been changed or disabled meanwhile. Enabling it forgets what has failed.
    static func update(_ id: String, account: Int64, _ change: WebhookEndpointChange) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(account)
        parameters.append(change.url)
        parameters.append(change.events.map(texts))
        parameters.append(change.description)
        parameters.append(change.signatures.map { texts($0.map(\.rawValue)) })
        parameters.append(change.concurrency)
        parameters.append(change.isEnabled)
        let list = TypeID.array(of: TypeID.text)
        return Step(
            Statement("update webhook", """
                \(nextVersion), w AS (
                    UPDATE webhook_endpoints SET url = coalesce($3, url), events = coalesce($4, events), description = coalesce($5, description),
                        signatures = coalesce($6, signatures), concurrency = coalesce($7, concurrency),
                        disabled_reason = CASE WHEN $8 THEN NULL WHEN NOT $8 THEN coalesce(disabled_reason, 'owner') ELSE disabled_reason END,
                        failures = CASE WHEN $8 AND disabled_reason IS NOT NULL THEN 0 ELSE failures END,
                        failing_since = CASE WHEN $8 AND disabled_reason IS NOT NULL THEN NULL ELSE failing_since END,
                        paused_until = CASE WHEN $8 AND disabled_reason IS NOT NULL THEN NULL ELSE paused_until END,
                        version = c.version
                    FROM c WHERE id = $1 AND account = $2 AND NOT is_deleted RETURNING webhook_endpoints.*)
                SELECT \(columns) FROM w
                """, [TypeID.text, TypeID.bigint, TypeID.text, list, TypeID.text, list, TypeID.bigint, TypeID.boolean]),
            parameters)
    }

    /// The present secrets go on signing until `until`, beside new ones. Once for a claim.
    static func rotate(_ id: String, account: Int64, until: UnixTime, for lease: ClaimLease?) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(account)
        parameters.append(until)
        ClaimQuery.append(lease, to: &parameters)
        return Step(
            Statement("rotate webhook", """
                \(nextVersion), o AS (SELECT leyden_carry_out($4, $5, $6) AS is_first), w AS (
                    UPDATE webhook_endpoints SET generation = CASE WHEN is_first THEN generation + 1 ELSE generation END,
                        previous_until = CASE WHEN is_first THEN $3 ELSE previous_until END, version = c.version
                    FROM c, o WHERE id = $1 AND account = $2 AND NOT is_deleted RETURNING webhook_endpoints.*)
                SELECT \(columns) FROM w
                """, [TypeID.text, TypeID.bigint, TypeID.timestamp] + ClaimQuery.leaseTypes),
            parameters)
    }

    /// The leader has to hear of it, so the row stays; its log is forgotten little by little.
    static func delete(_ id: String, account: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(account)
        return Step(
            Statement("delete webhook", """
                \(nextVersion), w AS (
                    UPDATE webhook_endpoints SET is_deleted = true, version = c.version
                    FROM c WHERE id = $1 AND account = $2 AND NOT is_deleted RETURNING id)
                SELECT id FROM w
                """, [TypeID.text, TypeID.bigint]),
            parameters)
    }

    /// Every endpoint that was changed after that version, whoever's it is; those that are deleted only if `known` may be one of them.
    static func changed(after version: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(version)
        return Step(
            Statement("changed webhooks", """
                SELECT \(columns) FROM webhook_endpoints w WHERE w.version > $1 AND ($1 > 0 OR NOT w.is_deleted) ORDER BY w.version LIMIT 1000
                """, [TypeID.bigint]),
            parameters)
    }

    static func read(_ rows: Rows) -> [WebhookEndpointRecord] {
        (0..<rows.count).map { row in
            var endpoint = WebhookEndpointRecord(
                id: rows.text(row, 0), account: rows.integer(row, 2), url: rows.text(row, 3), events: rows.texts(row, 4),
                description: rows.text(row, 5), signatures: rows.texts(row, 6).compactMap(WebhookEndpointRecord.Signature.init(rawValue:)),
                concurrency: rows.integer(row, 7), disabledReason: rows.optional(row, 8, rows.text).map { DisabledReason(rawValue: $0) ?? .owner },
                createdAt: rows.time(row, 11))
            endpoint.number = rows.integer(row, 1)
            endpoint.generation = rows.integer(row, 9)
            endpoint.previousUntil = rows.optional(row, 10, rows.time)
            endpoint.isDeleted = rows.flag(row, 12)
            endpoint.version = rows.integer(row, 13)
            endpoint.progress = EndpointMachine.Progress(
                cursor: rows.integer(row, 14), failures: Int(rows.integer(row, 15)), failingSince: rows.optional(row, 16, rows.time),
                pausedUntil: rows.optional(row, 17, rows.time))
            endpoint.nextAttemptAt = rows.optional(row, 18, rows.time)
            return endpoint
        }
    }

    static func texts(_ values: [String]) -> Column {
        var column = Column(TypeID.text)
        for value in values { column.append(value) }
        return column
    }
}
