internal import Payments

/// What the leader tells of its nodes to the processes that are not connected to them.
enum NodeStateQuery {
    static let all = Step(Statement("node states", "SELECT pubkey, state FROM node_states"))

    static func read(_ rows: Rows) -> [PublicKey: String] {
        var states: [PublicKey: String] = [:]
        for row in 0..<rows.count { rows.publicKey(row, 0).map { states[$0] = rows.text(row, 1) } }
        return states
    }

    static func tell(_ states: [PublicKey: String], term: Int64) -> Step {
        var keys = Column(TypeID.bytea)
        var names = Column(TypeID.text)
        for (key, state) in states {
            keys.append(key)
            names.append(state)
        }
        var parameters = Parameters()
        parameters.append(term)
        parameters.append(keys)
        parameters.append(names)
        return Step(
            Statement("tell node states", """
                INSERT INTO node_states (pubkey, state)
                SELECT * FROM unnest($2, $3) WHERE EXISTS (SELECT FROM stream WHERE term = $1 AND leader IS NOT NULL)
                ON CONFLICT (pubkey) DO UPDATE SET state = excluded.state, told_at = now()
                """, [TypeID.bigint, keys.arrayType, names.arrayType]),
            parameters)
    }
}
