internal import Payments

/// The statements on what is asked of the leader.
///
/// A request is begun once in a term, under the fence of that term, and answered by the leader that has begun it last. So a leader
/// that crashes leaves it to the next, and one that was deposed cannot answer it any more.
enum LeaderRequestQuery {
    static let notify = Step(Statement("tell of requests", "SELECT pg_notify('leyden_requests', '')"))

    static func insert(_ request: LeaderRequest, milliseconds: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(request.id)
        switch request.wish {
        case .settle(let hash, let setID):
            parameters.append("settle")
            parameters.append(hash.bytes)
            parameters.append(setID?.bytes)
            parameters.append(PublicKey?.none)
        case .cancel(let hash, let setID):
            parameters.append("cancel")
            parameters.append(hash.bytes)
            parameters.append(setID?.bytes)
            parameters.append(PublicKey?.none)
        case .drain(let node), .resume(let node):
            if case .drain = request.wish { parameters.append("drain") } else { parameters.append("resume") }
            parameters.append(Bytes32?.none)
            parameters.append(Bytes32?.none)
            parameters.append(node)
        }
        parameters.append(milliseconds)
        return Step(
            Statement("ask leader", """
                INSERT INTO leader_requests (id, wish, payment_hash, set_id, node, expires_at)
                VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 millisecond')
                """, [TypeID.bytea, TypeID.text, TypeID.bytea, TypeID.bytea, TypeID.bytea, TypeID.bigint]),
            parameters)
    }

    static func begin(term: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(term)
        return Step(
            Statement("begin requests", """
                UPDATE leader_requests SET term = $1 WHERE id IN (
                    SELECT id FROM leader_requests
                    WHERE answer IS NULL AND expires_at > clock_timestamp() AND (term IS NULL OR term < $1)
                    ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED)
                AND EXISTS (SELECT FROM stream WHERE term = $1 AND leader IS NOT NULL)
                RETURNING id, wish, payment_hash, set_id, node
                """, [TypeID.bigint]),
            parameters)
    }

    /// What this process does not understand, because it is older than who asks, is left alone.
    static func read(_ rows: Rows) -> [LeaderRequest] {
        (0..<rows.count).compactMap { row in
            let hash = rows.optional(row, 2, rows.bytes32).map(PaymentHash.init)
            let setID = rows.optional(row, 3, rows.bytes32).map(SetID.init)
            let node: PublicKey? = rows.optional(row, 4, rows.publicKey)
            let wish: LeaderRequest.Wish? = switch rows.text(row, 1) {
            case "settle": hash.map { .settle($0, setID) }
            case "cancel": hash.map { .cancel($0, setID) }
            case "drain": node.map { .drain($0) }
            case "resume": node.map { .resume($0) }
            default: nil
            }
            return wish.map { LeaderRequest(id: rows.bytes32(row, 0), wish: $0) }
        }
    }

    static func answer(_ id: Bytes32, _ text: String, term: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(text)
        parameters.append(term)
        return Step(
            Statement("answer request", """
                UPDATE leader_requests SET answer = $2 WHERE id = $1 AND term = $3 AND answer IS NULL
                AND EXISTS (SELECT FROM stream WHERE term = $3 AND leader IS NOT NULL)
                """, [TypeID.bytea, TypeID.text, TypeID.bigint]),
            parameters)
    }

    static func answers(to ids: [Bytes32]) -> Step {
        var column = Column(TypeID.bytea)
        for id in ids { column.append(id) }
        var parameters = Parameters()
        parameters.append(column)
        return Step(
            Statement("answers", "SELECT id, answer FROM leader_requests WHERE id = ANY ($1) AND answer IS NOT NULL", [column.arrayType]), parameters)
    }

    static func readAnswers(_ rows: Rows) -> [Bytes32: String] {
        Dictionary((0..<rows.count).map { (rows.bytes32($0, 0), rows.text($0, 1)) }) { first, _ in first }
    }

    /// From then on nobody begins it.
    static func abandon(_ id: Bytes32) -> Step {
        var parameters = Parameters()
        parameters.append(id)
        return Step(Statement("abandon request", "DELETE FROM leader_requests WHERE id = $1 RETURNING term IS NOT NULL, answer", [TypeID.bytea]), parameters)
    }

    static func readAbandoned(_ rows: Rows) -> AbandonedRequest {
        guard rows.count == 1 else { return .begun }
        if let answer = rows.optional(0, 1, rows.text) { return .answered(answer) }
        return rows.flag(0, 0) ? .begun : .untouched
    }

    /// Answers are kept a little longer than anybody waits for them.
    static let forget = Step(
        Statement("forget requests", "DELETE FROM leader_requests WHERE expires_at < clock_timestamp() - interval '1 minute'"))
}

extension Migration {
    static let leaderRequests = """
        CREATE TABLE leader_requests (
            id bytea PRIMARY KEY,
            wish text NOT NULL,
            payment_hash bytea,
            set_id bytea,
            node bytea,
            expires_at timestamptz NOT NULL,
            term bigint,
            answer text
        )
        """
}
