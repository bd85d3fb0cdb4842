internal import CPQ

/// How one of the ledger's connections is made.
struct ConnectionSettings: Sendable {
    /// libpq keywords with their values, the DSN's own first.
    private let keywords: [(name: String, value: String)]
    /// Runs first on every connection.
    let session: Statement
    /// How long the client waits for any one answer.
    let patienceNanoseconds: UInt64

    /// Throws ``LedgerError/badDSN(_:)``. Whatever the DSN says goes before the defaults.
    ///
    /// `statementMilliseconds` is what the server allows a statement; zero means no limit.
    init(dsn: String, role: String, statementMilliseconds: Int, planning: Bool = true) throws(LedgerError) {
        var keywords: [(name: String, value: String)] = []
        var problem: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(dsn, &problem) else {
            unsafe problem.map { unsafe PQfreemem($0) }
            // libpq's message quotes the DSN, which may hold a password.
            throw .badDSN("not a libpq connection string")
        }
        defer { unsafe PQconninfoFree(options) }
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val { unsafe keywords.append((String(cString: keyword), String(cString: value))) }
            unsafe option += 1
        }
        // A peer that vanished is noticed in about fifteen seconds even while nothing is sent.
        let defaults = [
            ("application_name", "leyden \(role)"), ("target_session_attrs", "read-write"), ("client_encoding", "UTF8"),
            ("keepalives_idle", "5"), ("keepalives_interval", "3"), ("keepalives_count", "3"), ("tcp_user_timeout", "12000"),
        ]
        for (name, value) in defaults where !keywords.contains(where: { $0.name == name }) { keywords.append((name, value)) }
        self.keywords = keywords
        // The commit function's plans must not be chosen while the tables are small and then kept.
        let plans = planning ? "" : """
            , set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false)
            , set_config('enable_mergejoin', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false)
            """
        session = Statement("session", """
            SELECT set_config('statement_timeout', '\(statementMilliseconds)', false)
            , set_config('lock_timeout', '\(statementMilliseconds / 2)', false), set_config('jit', 'off', false)
            , set_config('idle_in_transaction_session_timeout', '\(statementMilliseconds)', false)
            , set_config('synchronous_commit', CASE current_setting('synchronous_commit')
                WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)\(plans)
            """)
        patienceNanoseconds = UInt64(statementMilliseconds == 0 ? 600_000 : statementMilliseconds + 3_000) * 1_000_000
    }

    /// Lends the two null-terminated arrays that `PQconnectStartParams` takes.
    func withKeywords<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        var text: [CChar] = []
        var starts: [Int] = []
        for keyword in keywords {
            for word in [keyword.name, keyword.value] {
                starts.append(text.count)
                text.append(contentsOf: word.utf8CString)
            }
        }
        return unsafe text.withUnsafeBufferPointer { buffer in
            let base = buffer.baseAddress!
            var names = unsafe [UnsafePointer<CChar>?]()
            var values = unsafe [UnsafePointer<CChar>?]()
            for index in stride(from: 0, to: starts.count, by: 2) {
                unsafe names.append(unsafe base + starts[index])
                unsafe values.append(unsafe base + starts[index + 1])
            }
            unsafe names.append(nil)
            unsafe values.append(nil)
            return unsafe body(names, values)
        }
    }
}
