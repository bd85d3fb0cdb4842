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
                    ON CONFLICT (account, key) DO UPDATE SET claimed_until = excluded.claimed_until, lease = excluded.lease
                    WHERE c.claimed_until < clock_timestamp() AND c.request = excluded.request
                    RETURNING account, key, seed, created_at, lease
                )
                SELECT g.lease, coalesce(g.seed, c.seed), g.created_at, c.request <> w.request, c.status, c.answer
                FROM wanted w LEFT JOIN granted g ON g.account = w.account AND g.key = w.key
                LEFT JOIN claims c ON c.account = w.account AND c.key = w.key ORDER BY w.n
                """, all.map(\.arrayType)),
            parameters)
    }

    static func read(_ rows: Rows, _ wanted: [ClaimRequest]) -> [ClaimOutcome] {
        zip(wanted, 0..<rows.count).map { wish, row in
            if let number = rows.optional(row, 0, rows.integer) {
                let lease = ClaimLease(account: wish.account, key: wish.key, number: number)
                return .granted(lease, seed: rows.bytes32(row, 1), time: rows.time(row, 2))
            }
            if rows.flag(row, 3) { return .otherRequest }
            guard !rows.isNull(row, 5) else { return .running }
            return .answered(seed: rows.bytes32(row, 1), status: Int(rows.integer(row, 4)), answer: rows.bytes(row, 5))
        }
    }

    /// Tells of each whether it is the claim's answer now: that of its holder is, and the first stays.
    static func answer(_ answers: [ClaimAnswer]) -> Step {
        var accounts = Column(TypeID.bigint), keys = Column(TypeID.text), statuses = Column(TypeID.smallint), bytes = Column(TypeID.bytea)
        var leases = Column(TypeID.bigint)
        for answer in answers {
            accounts.append(answer.lease.account)
            keys.append(answer.lease.key)
            leases.append(answer.lease.number)
            statuses.append(Int64(answer.status))
            bytes.append(answer.answer)
        }
        let all = [accounts, keys, leases, statuses, bytes]
        var parameters = Parameters()
        for column in all { parameters.append(column) }
        return Step(
            Statement("answer claims", """
                WITH a AS (SELECT * FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY a (account, key, lease, status, answer, n)), stored AS (
                    UPDATE claims c SET status = a.status, answer = a.answer, claimed_until = NULL FROM a
                    WHERE c.account = a.account AND c.key = a.key AND c.lease = a.lease AND c.answer IS NULL RETURNING a.n
                )
                SELECT stored.n IS NOT NULL FROM a LEFT JOIN stored USING (n) ORDER BY a.n
                """, all.map(\.arrayType)),
            parameters)
    }

    static func readAnswered(_ rows: Rows) -> [Bool] { (0..<rows.count).map { rows.flag($0, 0) } }

    /// Lets the next one carry it out, from the same seed.
    static func free(_ lease: ClaimLease) -> Step {
        var parameters = Parameters()
        append(lease, to: &parameters)
        return Step(
            Statement("free claim", """
                UPDATE claims SET claimed_until = '-infinity' WHERE account = $1 AND key = $2 AND lease = $3 AND answer IS NULL
                """, leaseTypes),
            parameters)
    }

    /// The parameters of `leyden_carry_out`, by which another statement's effect is had once for a claim and by its holder alone.
    static let leaseTypes = [TypeID.bigint, TypeID.text, TypeID.bigint]

    /// Without a lease nothing is asked.
    static func append(_ lease: ClaimLease?, to parameters: inout Parameters) {
        parameters.append(lease?.account)
        parameters.append(lease?.key)
        parameters.append(lease?.number)
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
