internal import Payments

/// The statements on nodes that somebody has taken out of new invoices, until he takes them in again.
enum DrainedNodeQuery {
    static let all = Step(Statement("drained nodes", "SELECT pubkey FROM drained_nodes"))

    static func read(_ rows: Rows) -> Set<PublicKey> { Set((0..<rows.count).compactMap { rows.publicKey($0, 0) }) }

    /// Answers a row if the term still runs. The next leader's waits for it, and so reads what was written.
    static func set(_ node: PublicKey, isDrained: Bool, term: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(node)
        parameters.append(term)
        let led = "led AS MATERIALIZED (SELECT term FROM stream WHERE term = $2 AND leader IS NOT NULL FOR SHARE)"
        let text = isDrained
            ? "WITH \(led), kept AS (INSERT INTO drained_nodes (pubkey) SELECT $1 FROM led ON CONFLICT DO NOTHING) SELECT term FROM led"
            : "WITH \(led), gone AS (DELETE FROM drained_nodes USING led WHERE pubkey = $1) SELECT term FROM led"
        return Step(Statement(isDrained ? "drain node" : "resume node", text, [TypeID.bytea, TypeID.bigint]), parameters)
    }
}

extension Migration {
    static let drainedNodes = """
        CREATE TABLE drained_nodes (
            pubkey bytea PRIMARY KEY,
            since timestamptz NOT NULL DEFAULT now()
        )
        """
}
