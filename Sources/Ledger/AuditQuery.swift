internal import Payments

/// The statements on the audit log.
enum AuditQuery {
    private static let columns = "id, time, account, key_id, transport, method, path, target, status, request_id"

    /// What was written before is not written again.
    static func insert(_ records: [AuditRecord]) -> Step {
        var ids = Column(TypeID.text), times = Column(TypeID.timestamp), accounts = Column(TypeID.bigint), keys = Column(TypeID.text)
        var transports = Column(TypeID.text), methods = Column(TypeID.text), paths = Column(TypeID.text), targets = Column(TypeID.text)
        var statuses = Column(TypeID.smallint), requests = Column(TypeID.text)
        for record in records {
            ids.append(record.id)
            times.append(record.time)
            accounts.append(record.account)
            keys.append(record.keyID)
            transports.append(record.transport)
            methods.append(record.method)
            paths.append(record.path)
            targets.append(record.target)
            statuses.append(Int64(record.status))
            requests.append(record.requestID)
        }
        let all = [ids, times, accounts, keys, transports, methods, paths, targets, statuses, requests]
        var parameters = Parameters()
        for column in all { parameters.append(column) }
        return Step(
            Statement("insert audit", """
                INSERT INTO audit (\(columns)) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING
                """, all.map(\.arrayType)),
            parameters)
    }

    /// Newest first. Asks for one more than the limit, to know whether there is a next page. A statement for each set of
    /// filters, so that each has the plan it needs.
    static func page(account: Int64?, before id: String?, limit: Int) -> Step {
        var parameters = Parameters()
        // Beyond all ids.
        parameters.append(id ?? "g")
        parameters.append(Int64(limit) + 1)
        var types = [TypeID.text, TypeID.bigint]
        if let account {
            parameters.append(account)
            types.append(TypeID.bigint)
        }
        return Step(
            Statement(account == nil ? "audit" : "audit of account", """
                SELECT \(columns) FROM audit WHERE id < $1 \(account == nil ? "" : "AND account = $3") ORDER BY id DESC LIMIT $2
                """, types),
            parameters)
    }

    /// Their ids begin with the time, so the oldest stand at the index's beginning. So many at a time that nobody waits for it.
    static func forget(before id: String) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        return Step(
            Statement("forget audit", """
                DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < $1 ORDER BY id LIMIT 1000)
                """, [TypeID.text]),
            parameters)
    }

    static func read(_ rows: Rows) -> [AuditRecord] {
        (0..<rows.count).map { row in
            AuditRecord(
                id: rows.text(row, 0), time: rows.time(row, 1), account: rows.integer(row, 2), keyID: rows.text(row, 3),
                transport: rows.text(row, 4), method: rows.text(row, 5), path: rows.text(row, 6), target: rows.optional(row, 7, rows.text),
                status: Int(rows.integer(row, 8)), requestID: rows.optional(row, 9, rows.text))
        }
    }
}
