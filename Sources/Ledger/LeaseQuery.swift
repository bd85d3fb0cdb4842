/// The statements of the election. All times are the server's, so clocks of processes need not agree.
enum LeaseQuery {
    /// A lease that was given back or has run out can be taken. Each election has a term of its own, the same
    /// instance's too: what its predecessor still had under way must not mix with what it does.
    static func acquire(_ instance: String, _ milliseconds: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(instance)
        parameters.append(milliseconds)
        return Step(
            Statement("acquire lease", """
                UPDATE stream SET term = term + 1, leader = $1, lease_until = clock_timestamp() + $2 * interval '1 millisecond'
                WHERE leader IS NULL OR leader = $1 OR lease_until < clock_timestamp()
                RETURNING term
                """, [TypeID.text, TypeID.bigint]),
            parameters)
    }

    /// A lease that has run out is prolonged too, as long as nobody has taken it.
    static func renew(_ instance: String, _ term: Int64, _ milliseconds: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(instance)
        parameters.append(term)
        parameters.append(milliseconds)
        return Step(
            Statement("renew lease", """
                UPDATE stream SET lease_until = clock_timestamp() + $3 * interval '1 millisecond'
                WHERE leader = $1 AND term = $2
                RETURNING term
                """, [TypeID.text, TypeID.bigint, TypeID.bigint]),
            parameters)
    }

    static func release(_ instance: String, _ term: Int64) -> Step {
        var parameters = Parameters()
        parameters.append(instance)
        parameters.append(term)
        return Step(
            Statement("release lease", """
                UPDATE stream SET leader = NULL, lease_until = NULL WHERE leader = $1 AND term = $2
                """, [TypeID.text, TypeID.bigint]),
            parameters)
    }
}
