import Glibc

/// A transaction of another client, which keeps what it has locked until it is rolled back.
///
/// Safe because the stream is closed once, and is `nil` from then on.
@safe
package final class OpenTransaction {
    private var input: UnsafeMutablePointer<FILE>?

    /// Comes back when the statement has taken its lock.
    package init(_ statement: String, in dsn: String) {
        unsafe input = popen("\(TestServer.psql) -d '\(dsn)' -q >/dev/null", "w")
        guard let input = unsafe input else { return }
        unsafe fputs("BEGIN; \(statement); SET application_name = 'has locked';\n", input)
        unsafe fflush(input)
        while TestServer.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'has locked'", in: dsn) == "0" {
            usleep(5_000)
        }
    }

    package func rollBack() {
        guard let open = unsafe input else { return }
        unsafe fputs("ROLLBACK;\n", open)
        _ = unsafe pclose(open)
        unsafe input = nil
    }

    deinit { rollBack() }
}
