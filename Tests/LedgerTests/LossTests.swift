import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("A lost connection")
@LoopActor
struct LossTests {
    @Test("loses nothing and doubles nothing, wherever the server's processes are killed")
    func killed() async throws {
        try await withLedger { (ledger, dsn) async throws in
            var applied = 0, repeated = 0, published: [PublishedEvent] = []
            for round in 0..<25 {
                let entries = (0..<40).map { Payment(round * 40 + $0).accept(settling: true) }
                async let results = ledger.commit(entries)
                if round % 2 == 0 { try await Task.sleep(for: .microseconds(round * 150)) }
                kill(dsn)
                for result in await results {
                    #expect(result.isApplied || result == .repeated)
                    applied += result.isApplied ? 1 : 0
                    repeated += result == .repeated ? 1 : 0
                    published += result.events
                }
            }
            #expect(applied + repeated == 1_000)
            let counts = TestServer.sql(
                "SELECT (SELECT count(*) FROM invoices), (SELECT count(*) FROM htlcs), (SELECT head FROM stream), (SELECT max(events.\\\"offset\\\") FROM events), count(*) FROM events",
                in: dsn)
            #expect(counts == "1000|2000|4000|4000|4000")
            let offsets = published.map(\.offset)
            #expect(offsets == offsets.sorted())
            #expect(Set(offsets).count == offsets.count)
        }
    }

    @Test("delays commits and lookups, and makes other reads fail at once")
    func away() async throws {
        try await withLedger { (ledger, dsn) async throws in
            TestServer.open(false, dsn)
            await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                ledger.onState = { _ in
                    ledger.onState = nil
                    done.resume()
                }
            }
            async let result = ledger.commit(Payment(1).accept())
            async let lookup = ledger.lookup([Payment(1).hash])
            try await Task.sleep(for: .milliseconds(50))
            #expect(ledger.pendingCommits == 1)
            await #expect(throws: LedgerError.self) { try await ledger.renewLease(milliseconds: 60_000) }
            TestServer.open(true, dsn)
            #expect(await result.isApplied)
            _ = await lookup
            #expect(try await ledger.renewLease(milliseconds: 60_000))
        }
    }

    private func kill(_ dsn: String) {
        TestServer.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()", in: dsn)
    }
}
