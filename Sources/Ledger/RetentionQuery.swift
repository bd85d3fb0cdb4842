/// The statements that keep the log within its time.
enum RetentionQuery {
    static func begin(term: Int64, stepMilliseconds: Int64) -> Step {
        Step(
            Statement("begin partition", "SELECT leyden_begin_partition($1, $2 * interval '1 millisecond')", [TypeID.bigint, TypeID.bigint]),
            parameters(term, stepMilliseconds))
    }

    static func drop(term: Int64, retentionMilliseconds: Int64) -> Step {
        Step(
            Statement("drop partitions", "SELECT leyden_drop_partitions($1, $2 * interval '1 millisecond')", [TypeID.bigint, TypeID.bigint]),
            parameters(term, retentionMilliseconds))
    }

    /// A database that was restored elsewhere from a dump has another identity than the one that its stream remembers. Its
    /// log may have gone on under the old epoch, so it gets a new one. A standby that was promoted has the same identity.
    static let claim = Step(Statement("claim stream", """
        UPDATE stream SET origin = o.name, epoch = CASE WHEN origin IS NULL THEN epoch ELSE \(newEpoch) END
        FROM (SELECT system_identifier || '/' || 'stream'::regclass::oid AS name FROM pg_control_system()) o
        WHERE origin IS DISTINCT FROM o.name
        """))

    /// Once for all who notice the same.
    static func renewEpoch(_ old: String) -> Step {
        var parameters = Parameters()
        parameters.append(old)
        return Step(Statement("renew epoch", "UPDATE stream SET epoch = \(newEpoch) WHERE epoch = $1", [TypeID.text]), parameters)
    }

    private static let newEpoch = "replace(gen_random_uuid()::text, '-', '')"

    private static func parameters(_ term: Int64, _ milliseconds: Int64) -> Parameters {
        var parameters = Parameters()
        parameters.append(term)
        parameters.append(milliseconds)
        return parameters
    }
}
