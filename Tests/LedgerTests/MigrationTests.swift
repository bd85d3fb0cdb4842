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

    @Test("numbers of claims come to a table that is there without writing it again, and a claim in it is taken over under one")
    func claimsThatAreThere() async throws {
        let dsn = TestServer.makeDatabase()
        _ = try await Ledger.migrate(dsn: dsn)
        TestServer.sql("""
            ALTER TABLE claims DROP COLUMN lease, DROP COLUMN is_carried_out; DROP SEQUENCE claim_leases;
            DROP FUNCTION leyden_carry_out; DROP TRIGGER api_keys_changed ON api_keys; DROP FUNCTION leyden_key_changed;
            ALTER TABLE api_keys DROP COLUMN changed; ALTER TABLE accounts DROP CONSTRAINT accounts_number;
            DELETE FROM schema_migrations WHERE version = 12;
            INSERT INTO claims (account, key, request, seed, created_at, claimed_until)
            SELECT 1, 'k' || n, decode(repeat('02', 32), 'hex'), decode(repeat('03', 32), 'hex'), now(), now() - interval '1 second' FROM generate_series(1, 2) n
            """, in: dsn)
        let file = "SELECT pg_relation_filenode('claims')"
        let before = TestServer.sql(file, in: dsn)
        #expect(try await Ledger.migrate(dsn: dsn) == [12])
        #expect(TestServer.sql(file, in: dsn) == before)
        let ledger = try await startedLedger(dsn)
        let request = try #require(Bytes32([UInt8](repeating: 2, count: 32)))
        let wishes = ["k1", "k2", "k3"].map { ClaimRequest(account: 1, key: $0, request: request, seed: request, time: now) }
        let numbers = try await ledger.claim(wishes).compactMap { outcome in if case .granted(let lease, _, _) = outcome { lease.number } else { nil } }
        #expect(Set(numbers).count == 3 && !numbers.contains(0))
        ledger.close()
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
