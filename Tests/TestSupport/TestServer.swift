import Glibc

/// A private Postgres for the test process: started by the first test that asks, stopped at exit.
package enum TestServer {
    /// A fresh database's DSN.
    package static func makeDatabase() -> String {
        let name = "test_\(UInt64.random(in: 0 ... .max))"
        _ = shell("\(psql) -d 'dbname=postgres \(host)' -c 'CREATE DATABASE \(name)'")
        return "\(host) dbname=\(name)"
    }

    /// One statement by a client of its own; rows by lines, columns by `|`.
    @discardableResult
    package static func sql(_ text: String, in dsn: String) -> String {
        shell("\(psql) -d '\(dsn)' -Atqc \"\(text)\"")
    }

    /// Lets connections to the database in, or keeps them out and ends those that are.
    package static func open(_ isOpen: Bool, _ dsn: String) {
        let name = dsn.split(separator: "=").last ?? ""
        sql("UPDATE pg_database SET datallowconn = \(isOpen) WHERE datname = '\(name)'", in: "\(host) dbname=postgres")
        if !isOpen { sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'", in: "\(host) dbname=postgres") }
    }

    static let psql = "/usr/lib/postgresql/15/bin/psql"

    /// The DSN without a database.
    private static let host: String = {
        _ = atexit { _ = shell("'\(script)' stop '\(directory)' && rm -rf '\(directory)'") }
        _ = shell(sweep)
        let dsn = shell("'\(script)' start '\(directory)'")
        return dsn.split(separator: " ").filter { !$0.hasPrefix("dbname=") }.joined(separator: " ")
    }()

    private static let directory = "/tmp/leyden-tests-\(getpid())"
    /// Takes away what tests have left behind that were killed.
    private static let sweep = """
        for left in /tmp/leyden-tests-*; do
            if [ -O "$left" ] && [ ! -d "/proc/${left##*-}" ]; then '\(script)' stop "$left" && rm -rf "$left"; fi
        done
        """
    private static let script = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/scripts/postgres"

    private static func shell(_ command: String) -> String {
        guard let pipe = unsafe popen(command, "r") else { return "" }
        var text: [UInt8] = []
        while case let byte = unsafe fgetc(pipe), byte != EOF { text.append(UInt8(truncatingIfNeeded: byte)) }
        _ = unsafe pclose(pipe)
        while text.last == UInt8(ascii: "\n") { text.removeLast() }
        return String(decoding: text, as: UTF8.self)
    }
}
