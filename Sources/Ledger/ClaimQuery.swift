internal import Payments

/// The statements on claims.
enum ClaimQuery {
    /// How long a process that does not answer keeps a claim. Longer than a commit of it can still be under way at the server.
    static let lease = "interval '60 seconds'"

    /// Claims what is new, and what was claimed by somebody who is not heard of any more.
    ///
    /// One that another process has claimed in the same moment is seen by neither side of the answer, and so is `running`.
    static func claim(_ wanted: [ClaimRequest]) -> Step {
        var accounts = Column(TypeID.bigint), keys = Column(TypeID.text), requests = Column(TypeID.bytea), seeds = Column(TypeID.bytea)
        var times = Column(TypeID.timestamp)
        for claim in wanted {
            accounts.append(claim.account)
            keys.append(claim.key)
            requests.append(claim.request)
            seeds.append(claim.seed)
            times.append(claim.time)
        }
        let all = [accounts, keys, requests, seeds, times]
        var parameters = Parameters()
        for column in all { parameters.append(column) }
        return Step(
            Statement("claim", """
                WITH wanted AS (
                    SELECT * FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY w (account, key, request, seed, time, n)
                ), granted AS (
                    INSERT INTO claims AS c (account, key, request, seed, created_at, claimed_until)
                    SELECT account, key, request, seed, time, clock_timestamp() + \(lease) FROM wanted ORDER BY account, key
                    ON CONFLICT (account, key) DO UPDATE SET claimed_until = excluded.claimed_until
                    WHERE c.claimed_until < clock_timestamp() AND c.request = excluded.request
                    RETURNING account, key, seed, created_at
                )
                SELECT g.key IS NOT NULL, coalesce(g.seed, c.seed), g.created_at, c.request <> w.request, c.status, c.answer
                FROM wanted w LEFT JOIN granted g ON g.account = w.account AND g.key = w.key
                LEFT JOIN claims c ON c.account = w.account AND c.key = w.key ORDER BY w.n
                """, all.map(\.arrayType)),
            parameters)
    }

    static func read(_ rows: Rows) -> [ClaimOutcome] {
        (0..<rows.count).map { row in
            if rows.flag(row, 0) { return .granted(seed: rows.bytes32(row, 1), time: rows.time(row, 2)) }
            if rows.flag(row, 3) { return .otherRequest }
            guard !rows.isNull(row, 5) else { return .running }
            return .answered(seed: rows.bytes32(row, 1), status: Int(rows.integer(row, 4)), answer: rows.bytes(row, 5))
        }
    }

    /// The first answer stays.
    static func answer(_ answers: [ClaimAnswer]) -> Step {
        var accounts = Column(TypeID.bigint), keys = Column(TypeID.text), statuses = Column(TypeID.smallint), bytes = Column(TypeID.bytea)
        for answer in answers {
            accounts.append(answer.account)
            keys.append(answer.key)
            statuses.append(Int64(answer.status))
            bytes.append(answer.answer)
        }
        let all = [accounts, keys, statuses, bytes]
        var parameters = Parameters()
        for column in all { parameters.append(column) }
        return Step(
            Statement("answer claims", """
                UPDATE claims c SET status = a.status, answer = a.answer, claimed_until = NULL
                FROM unnest($1, $2, $3, $4) a (account, key, status, answer) WHERE c.account = a.account AND c.key = a.key AND c.answer IS NULL
                """, all.map(\.arrayType)),
            parameters)
    }

    /// Lets the next one carry it out, from the same seed.
    static func free(_ account: Int64, _ key: String) -> Step {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(key)
        return Step(
            Statement("free claim", """
                UPDATE claims SET claimed_until = '-infinity' WHERE account = $1 AND key = $2 AND answer IS NULL
                """, [TypeID.bigint, TypeID.text]),
            parameters)
    }

    /// So many at a time that nobody waits for it.
    static func forget(before time: UnixTime) -> Step {
        var parameters = Parameters()
        parameters.append(time)
        return Step(
            Statement("forget claims", """
                DELETE FROM claims WHERE (account, key) IN (SELECT account, key FROM claims WHERE created_at < $1 ORDER BY created_at LIMIT 1000)
                """, [TypeID.timestamp]),
            parameters)
    }
}
