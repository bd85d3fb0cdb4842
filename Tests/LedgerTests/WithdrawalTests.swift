import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("A withdrawal")
@LoopActor
struct WithdrawalTests {
    private func entry(_ entry: CommitEntry, _ number: UInt64) -> CommitEntry {
        var entry = entry
        entry.id = ChangeID(number)
        return entry
    }

    @Test("gives back what was never sent, and nothing of it is stored")
    func neverSent() async throws {
        try await withLedger { (ledger, dsn) async throws in
            TestServer.open(false, dsn)
            while ledger.state == .connected { try await Task.sleep(for: .milliseconds(2)) }
            async let decisions = ledger.commit([entry(Payment(1).accept(settling: true), 1), entry(Payment(2).requestSettlement, 2)])
            async let release = ledger.commit(entry(Payment(3).release, 3))
            while ledger.pendingCommits < 3 { await Task.yield() }
            for number in 1...3 as ClosedRange<UInt64> { ledger.withdraw(ChangeID(number)) }
            #expect(await decisions == [.withdrawn(mayBeStored: false), .withdrawn(mayBeStored: false)])
            #expect(ledger.pendingCommits == 1, "only decisions to keep HTLCs are withdrawn")
            TestServer.open(true, dsn)
            #expect(await release == .refused(nil))
            #expect(await ledger.lookup([Payment(1).hash]).isEmpty)
        }
    }

    @Test("of what is under way waits for its answer")
    func underWay() async throws {
        try await withLedger { (ledger, dsn) async throws in
            sleepOnAccept("0.3", dsn)
            async let result = ledger.commit(entry(Payment(1).accept(settling: true), 1))
            await untilAsleep(dsn)
            ledger.withdraw(ChangeID(1))
            #expect(await result.isApplied)
            // It is forgotten with that: the next entry of the name is another one.
            ledger.withdraw(ChangeID(1))
            #expect(await ledger.commit(entry(Payment(2).create, 1)).isApplied)
            #expect(await ledger.commit(entry(Payment(2).accept(settling: true), 1)).isApplied)
        }
    }

    @Test("of what was under way when the connection was lost says that it may be stored")
    func lost() async throws {
        try await withLedger { (ledger, dsn) async throws in
            sleepOnAccept("30", dsn)
            async let result = ledger.commit(entry(Payment(1).accept(settling: true), 1))
            await untilAsleep(dsn)
            ledger.withdraw(ChangeID(1))
            kill(dsn)
            #expect(await result == .withdrawn(mayBeStored: true))
            sleepOnAccept("0", dsn)
            #expect(await ledger.commit(Payment(1).void) == .applied([]))
            #expect(await ledger.commit(Payment(1).accept(settling: true)).isRefused)
        }
    }

    @Test("is what happens to a decision that the server rejects after an attempt whose answer was lost")
    func rejectedAfterLoss() async throws {
        try await withLedger { (ledger, dsn) async throws in
            sleepOnAccept("30", dsn)
            async let result = ledger.commit(entry(Payment(1).accept(settling: true), 1))
            await untilAsleep(dsn)
            TestServer.sql(
                "CREATE OR REPLACE FUNCTION on_accept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'", in: dsn)
            kill(dsn)
            #expect(await result == .withdrawn(mayBeStored: true))
            #expect(await ledger.commit(Payment(2).accept(settling: true)).failure?.sqlState == "P0001")
        }
    }

    /// Every acceptance takes so many seconds from now on.
    private func sleepOnAccept(_ seconds: String, _ dsn: String) {
        TestServer.sql(
            "CREATE OR REPLACE FUNCTION on_accept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(\(seconds)); RETURN NEW; END'",
            in: dsn)
        TestServer.sql("CREATE OR REPLACE TRIGGER on_accept BEFORE INSERT ON htlcs FOR EACH ROW EXECUTE FUNCTION on_accept()", in: dsn)
    }

    private func untilAsleep(_ dsn: String) async {
        while TestServer.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'", in: dsn) == "0" {
            await Task.yield()
        }
    }

    private func kill(_ dsn: String) {
        TestServer.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()", in: dsn)
    }
}
