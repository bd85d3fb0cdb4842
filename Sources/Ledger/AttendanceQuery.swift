internal import Payments

/// The statements on accounts for which somebody listens for accepted payments. All times are the server's.
enum AttendanceQuery {
    static func tell(_ accounts: some Sequence<Int64>) -> Step {
        var column = Column(TypeID.bigint)
        for account in accounts { column.append(account) }
        var parameters = Parameters()
        parameters.append(column)
        return Step(
            Statement("tell attendance", """
                INSERT INTO attended_accounts (account, seen_at) SELECT a, clock_timestamp() FROM unnest($1) a ORDER BY a
                ON CONFLICT (account) DO UPDATE SET seen_at = excluded.seen_at
                """, [column.arrayType]),
            parameters)
    }

    static func attended(withinMilliseconds milliseconds: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(milliseconds)
        return Step(
            Statement("attendance", """
                SELECT account FROM attended_accounts WHERE seen_at > clock_timestamp() - $1 * interval '1 millisecond'
                """, [TypeID.bigint]),
            parameters)
    }

    static func read(_ rows: Rows) -> Set<Int64> { Set((0..<rows.count).map { rows.integer($0, 0) }) }
}

extension Migration {
    static let attendance = "CREATE TABLE attended_accounts (account bigint PRIMARY KEY, seen_at timestamptz NOT NULL)"
}
