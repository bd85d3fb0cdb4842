internal import Delivery
internal import Payments

/// The statements on deliveries.
enum WebhookDeliveryQuery {
    /// What the deliverer tells is written only under the term that it delivers in, and of an event sent twice the last word counts.
    static func store(_ progress: WebhookProgress, term: Int64) -> [Step] {
        var steps: [Step] = []
        // Everybody locks an endpoint before its deliveries.
        if !progress.endpoints.isEmpty { steps.append(store(progress.endpoints, progress.disabled, term)) }
        if !progress.records.isEmpty { steps.append(store(progress.records, term)) }
        if !progress.broughtForward.isEmpty { steps.append(bringForward(progress.broughtForward, term)) }
        return steps
    }

    private static let leads = "EXISTS (SELECT FROM stream WHERE term = $1 AND leader IS NOT NULL)"

    private static func store(_ records: [(endpoint: String, record: DeliveryRecord)], _ term: Int64) -> Step {
        var endpoints = Column(TypeID.text), ids = Column(TypeID.text), types = Column(TypeID.text), reasons = Column(TypeID.text)
        var offsets = Column(TypeID.bigint), states = Column(TypeID.bigint), attempts = Column(TypeID.bigint), statuses = Column(TypeID.bigint)
        var times = Column(TypeID.timestamp), nexts = Column(TypeID.timestamp)
        // One statement writes a row once.
        var last: [String: [Int64: Int]] = [:]
        for (index, entry) in records.enumerated() { last[entry.endpoint, default: [:]][entry.record.offset] = index }
        for (index, entry) in records.enumerated() where last[entry.endpoint]?[entry.record.offset] == index {
            let record = entry.record
            endpoints.append(entry.endpoint)
            offsets.append(record.offset)
            ids.append(record.eventID)
            types.append(record.type.rawValue)
            states.append(record.state.rawValue)
            attempts.append(Int64(record.attempt))
            if let status = record.status { statuses.append(Int64(status)) } else { statuses.appendNull() }
            reasons.append(record.reason)
            times.append(record.attemptedAt as UnixTime?)
            nexts.append(record.nextAttemptAt)
        }
        var parameters = Parameters()
        parameters.append(term)
        let columns = [endpoints, offsets, ids, types, states, attempts, statuses, reasons, times, nexts]
        for column in columns { parameters.append(column) }
        return Step(
            Statement("store deliveries", """
                INSERT INTO webhook_deliveries (endpoint, "offset", event_id, type, state, attempt, attempts, status, reason, attempted_at, next_attempt_at)
                SELECT d.endpoint, d."offset", d.id, d.type, d.state, d.attempt, d.attempt, d.status, d.reason, d.time, d.next
                FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                    d (endpoint, "offset", id, type, state, attempt, status, reason, time, next)
                JOIN webhook_endpoints w ON w.id = d.endpoint AND NOT w.is_deleted
                WHERE \(leads)
                ON CONFLICT (endpoint, "offset") DO UPDATE SET state = excluded.state, attempt = excluded.attempt,
                    attempts = webhook_deliveries.attempts + 1, status = excluded.status, reason = excluded.reason,
                    attempted_at = excluded.attempted_at, next_attempt_at = excluded.next_attempt_at
                -- Somebody has asked for it again since this attempt began: that is still to come.
                WHERE NOT (webhook_deliveries.attempt = 0 AND coalesce(webhook_deliveries.next_attempt_at > excluded.attempted_at, false))
                """, [TypeID.bigint] + columns.map(\.arrayType)),
            parameters)
    }

    private static func bringForward(_ endpoints: Set<String>, _ term: Int64) -> Step {
        let names = WebhookEndpointQuery.texts(endpoints.sorted())
        var parameters = Parameters()
        parameters.append(term)
        parameters.append(names)
        return Step(
            Statement("bring deliveries forward", """
                -- What is due stays as it is: an endpoint that comes and goes must not have all of it written again each time.
                UPDATE webhook_deliveries SET next_attempt_at = now() WHERE endpoint = ANY ($2) AND next_attempt_at > now() AND \(leads)
                """, [TypeID.bigint, names.arrayType]),
            parameters)
    }

    private static func store(_ endpoints: [String: EndpointMachine.Progress], _ disabled: [String: DisabledReason], _ term: Int64) -> Step {
        var ids = Column(TypeID.text), reasons = Column(TypeID.text)
        var cursors = Column(TypeID.bigint), failures = Column(TypeID.bigint)
        var sinces = Column(TypeID.timestamp), pauses = Column(TypeID.timestamp)
        // In one order, so that two statements cannot wait for each other.
        for id in endpoints.keys.sorted() {
            guard let progress = endpoints[id] else { continue }
            ids.append(id)
            cursors.append(progress.cursor)
            failures.append(Int64(progress.failures))
            sinces.append(progress.failingSince)
            pauses.append(progress.pausedUntil)
            reasons.append(disabled[id]?.rawValue)
        }
        var parameters = Parameters()
        parameters.append(term)
        let columns = [ids, cursors, failures, sinces, pauses, reasons]
        for column in columns { parameters.append(column) }
        return Step(
            Statement("store webhook progress", """
                UPDATE webhook_endpoints w SET cursor = greatest(w.cursor, p.cursor), failures = p.failures, failing_since = p.since,
                    paused_until = p.pause, disabled_reason = coalesce(w.disabled_reason, p.reason)
                FROM unnest($2, $3, $4, $5, $6, $7) p (id, cursor, failures, since, pause, reason)
                WHERE w.id = p.id AND \(leads)
                """, [TypeID.bigint] + columns.map(\.arrayType)),
            parameters)
    }

    /// The next deliveries of an endpoint that wait for an attempt, those whose time has come first; without their event if
    /// the log does not hold it any more.
    static func waiting(_ endpoint: String, limit: Int) -> Step {
        var parameters = Parameters()
        parameters.append(endpoint)
        parameters.append(Int64(limit))
        return Step(
            Statement("waiting deliveries", """
                SELECT d."offset", d.event_id, d.type, coalesce(e.account, 0), e.payment_hash, coalesce(e.time, now()), e.data, d.attempt, d.next_attempt_at
                FROM (SELECT * FROM webhook_deliveries WHERE endpoint = $1 AND next_attempt_at IS NOT NULL ORDER BY next_attempt_at, "offset" LIMIT $2) d
                LEFT JOIN events e ON e."offset" = d."offset"
                ORDER BY d.next_attempt_at, d."offset"
                """, [TypeID.text, TypeID.bigint]),
            parameters)
    }

    static func readWaiting(_ rows: Rows) -> [WaitingDelivery] {
        (0..<rows.count).map { row in
            let event = PublishedEvent(
                offset: rows.integer(row, 0), id: rows.text(row, 1), type: EventType(rawValue: rows.text(row, 2)), account: rows.integer(row, 3),
                paymentHash: rows.optional(row, 4, rows.bytes32).map(PaymentHash.init), time: rows.time(row, 5), data: rows.text(row, 6))
            return WaitingDelivery(
                event: event, isKept: !rows.isNull(row, 6), attempts: Int(rows.integer(row, 7)), nextAttemptAt: rows.time(row, 8))
        }
    }

    /// An owner's log, the newest event first.
    static func page(_ endpoint: String, account: Int64, before offset: Int64, state: DeliveryRecord.State?, limit: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(endpoint)
        parameters.append(account)
        parameters.append(offset)
        parameters.append(limit)
        parameters.append(state?.rawValue)
        return Step(
            Statement("deliveries", """
                SELECT d."offset", d.event_id, d.type, d.state, d.attempt, d.status, d.reason, d.attempted_at, d.next_attempt_at, d.attempts
                FROM webhook_deliveries d JOIN webhook_endpoints w ON w.id = d.endpoint
                WHERE d.endpoint = $1 AND w.account = $2 AND NOT w.is_deleted AND d."offset" < $3 AND ($5 IS NULL OR d.state = $5)
                ORDER BY d."offset" DESC LIMIT $4
                """, [TypeID.text, TypeID.bigint, TypeID.bigint, TypeID.bigint, TypeID.bigint]),
            parameters)
    }

    static func readPage(_ rows: Rows) -> [WebhookDeliveryRow] {
        (0..<rows.count).map { row in
            let attemptedAt = rows.optional(row, 7, rows.time)
            let record = DeliveryRecord(
                offset: rows.integer(row, 0), eventID: rows.text(row, 1), type: EventType(rawValue: rows.text(row, 2)),
                state: DeliveryRecord.State(rawValue: rows.integer(row, 3)) ?? .failed, attempt: Int(rows.integer(row, 4)),
                status: rows.optional(row, 5, rows.integer).map { Int($0) }, reason: rows.optional(row, 6, rows.text),
                attemptedAt: attemptedAt ?? UnixTime(milliseconds: 0), nextAttemptAt: rows.optional(row, 8, rows.time))
            return WebhookDeliveryRow(record: record, attempts: rows.integer(row, 9), attemptedAt: attemptedAt)
        }
    }

    /// Events of the endpoint's account and types within the range, at most `limit` of them, get a first attempt again. The endpoint
    /// is changed by that, so that the deliverer hears of it.
    static func redeliver(_ endpoint: WebhookEndpointRecord, types: [EventType], after: Int64, until: Int64, limit: Int64) -> Step {
        let names = WebhookEndpointQuery.texts(types.map(\.rawValue))
        var parameters = Parameters()
        parameters.append(endpoint.id)
        parameters.append(endpoint.account)
        parameters.append(after)
        parameters.append(until)
        parameters.append(limit)
        parameters.append(names)
        parameters.append(types.isEmpty)
        return Step(
            Statement("redeliver", """
                WITH c AS (UPDATE webhook_changes SET version = version + 1 RETURNING version),
                w AS (UPDATE webhook_endpoints SET version = c.version FROM c
                    WHERE id = $1 AND account = $2 AND NOT is_deleted RETURNING id),
                d AS (
                    INSERT INTO webhook_deliveries (endpoint, "offset", event_id, type, state, attempt, attempts, next_attempt_at)
                    SELECT w.id, e."offset", e.id, e.type, 0, 0, 0, now() FROM w, events e
                    WHERE e.account = $2 AND e."offset" > $3 AND e."offset" <= $4 AND ($7 OR e.type = ANY ($6))
                    ORDER BY e."offset" LIMIT $5
                    ON CONFLICT (endpoint, "offset") DO UPDATE SET state = 0, attempt = 0, next_attempt_at = now()
                    RETURNING "offset")
                SELECT count(*), max("offset") FROM d
                """, [TypeID.text, TypeID.bigint, TypeID.bigint, TypeID.bigint, TypeID.bigint, names.arrayType, TypeID.boolean]),
            parameters)
    }

    /// At most so many are forgotten at once, so that nobody waits for it.
    static let pruned = 1_000

    /// What the log does not hold any more, and needs no attempt, and what was sent to endpoints that are deleted: a look into the index for each endpoint, whatever else there is.
    static let prune = Step(Statement("prune deliveries", """
        DELETE FROM webhook_deliveries WHERE (endpoint, "offset") IN (
            SELECT d.endpoint, d."offset" FROM stream s, webhook_endpoints w, LATERAL (
                SELECT endpoint, "offset" FROM webhook_deliveries
                WHERE endpoint = w.id AND "offset" < CASE WHEN w.is_deleted THEN \(Int64.max) ELSE s.first END
                    AND (w.is_deleted OR next_attempt_at IS NULL) ORDER BY "offset" LIMIT \(pruned)) d
            LIMIT \(pruned))
        """))
}
