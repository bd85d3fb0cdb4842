import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("Migrations")
@LoopActor
struct MigrationTests {
    @Test("run once, however often and by however many processes they are asked for")
    func twice() async throws {
        let dsn = TestServer.makeDatabase()
        async let first = Ledger.migrate(dsn: dsn)
        async let second = Ledger.migrate(dsn: dsn)
        async let third = Ledger.migrate(dsn: dsn)
        let versions = try await [first, second, third]
        #expect(versions.filter { $0.isEmpty }.count == 2)
        #expect(try await Ledger.migrate(dsn: dsn).isEmpty)
        let epoch = TestServer.sql("SELECT epoch FROM stream", in: dsn)
        #expect(epoch.count == 32)
    }

    @Test("say that a DSN is wrong without quoting it")
    func badDSN() async {
        await #expect(throws: LedgerError.badDSN("not a libpq connection string")) {
            try await Ledger.migrate(dsn: "host=x password='secret")
        }
    }

    @Test("report a server that is not there")
    func noServer() async {
        await #expect {
            try await Ledger.migrate(dsn: "host=/nonexistent dbname=none")
        } throws: { error in
            if case LedgerError.unavailable = error { true } else { false }
        }
    }
}
