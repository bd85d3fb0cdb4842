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
                    WHERE (SELECT count(*) FROM webhook_endpoints WHERE account = $2 AND NOT is_deleted) < $9
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

    /// Writes what its owner decides; whether it is enabled only if that was said: it may have been disabled since it was read. Enabling
    /// it forgets what has failed.
    static func update(_ endpoint: WebhookEndpointRecord, setsEnabled: Bool) -> Step {
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
        parameters.append(endpoint.disabledReason?.rawValue)
        parameters.append(setsEnabled)
        return Step(
            Statement("update webhook", """
                \(nextVersion), w AS (
                    UPDATE webhook_endpoints SET url = $3, events = $4, description = $5, signatures = $6, concurrency = $7,
                        disabled_reason = CASE WHEN $9 THEN $8 ELSE disabled_reason END,
                        failures = CASE WHEN $9 AND disabled_reason IS NOT NULL AND $8 IS NULL THEN 0 ELSE failures END,
                        failing_since = CASE WHEN $9 AND disabled_reason IS NOT NULL AND $8 IS NULL THEN NULL ELSE failing_since END,
                        paused_until = CASE WHEN $9 AND disabled_reason IS NOT NULL AND $8 IS NULL THEN NULL ELSE paused_until END,
                        version = c.version
                    FROM c WHERE id = $1 AND account = $2 AND NOT is_deleted RETURNING webhook_endpoints.*)
                SELECT \(columns) FROM w
                """, [
                    TypeID.text, TypeID.bigint, TypeID.text, events.arrayType, TypeID.text, signatures.arrayType, TypeID.bigint, TypeID.text,
                    TypeID.boolean,
                ]),
            parameters)
    }

    /// The present secrets go on signing until `until`, beside new ones. A rotation is known by its origin for two days, longer than
    /// anybody asks for it again, whatever was rotated since.
    static func rotate(_ id: String, account: Int64, until: UnixTime, origin: Bytes32) -> [Step] {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(account)
        parameters.append(until)
        parameters.append(origin)
        return [
            // Whoever waits here sees what the one before has done.
            Step(Statement("lock webhooks", "SELECT FROM webhook_changes FOR UPDATE")),
            Step(
                Statement("rotate webhook", """
                    WITH known AS (SELECT generation FROM webhook_rotations WHERE endpoint = $1 AND origin = $4),
                    c AS (UPDATE webhook_changes SET version = version + 1 WHERE NOT EXISTS (SELECT FROM known) RETURNING version),
                    w AS (
                        UPDATE webhook_endpoints SET generation = generation + 1, previous_until = $3, version = c.version
                        FROM c WHERE id = $1 AND account = $2 AND NOT is_deleted RETURNING webhook_endpoints.*),
                    r AS (INSERT INTO webhook_rotations (endpoint, origin, generation) SELECT id, $4, generation FROM w),
                    d AS (DELETE FROM webhook_rotations WHERE endpoint = $1 AND made_at < now() - interval '2 days')
                    SELECT \(columns), w.generation FROM w
                    UNION ALL
                    SELECT \(columns), known.generation FROM known, webhook_endpoints w WHERE w.id = $1 AND w.account = $2 AND NOT w.is_deleted
                    """, [TypeID.text, TypeID.bigint, TypeID.timestamp, TypeID.bytea]),
                parameters),
        ]
    }

    /// With the generation that the rotation began, which need not be the last.
    static func readRotated(_ rows: Rows) -> WebhookEndpointRecord? {
        guard var endpoint = read(rows).first else { return nil }
        endpoint.generation = rows.integer(0, 19)
        return endpoint
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
