import Ledger
import Loop
import Payments
import TestSupport
import Testing
import Foundation

@Suite("On a large database")
@LoopActor
struct PlanTests {
    private static let rows = 60_000
    private static let big = "('invoices', 'invoice_terms', 'htlcs') OR relname LIKE 'events%'"

    /// As in the bench of millions of rows.
    private func filled() async throws -> String {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../scripts/bench.d/fill.sql")
        let dsn = TestServer.makeDatabase()
        _ = try await Ledger.migrate(dsn: dsn)
        let text = try String(contentsOf: file, encoding: .utf8).replacing(":rows", with: "\(Self.rows)").replacing("\"", with: "\\\"")
        TestServer.sql(text, in: dsn)
        TestServer.sql("VACUUM ANALYZE", in: dsn)
        try #require(TestServer.sql("SELECT count(*) FROM invoice_terms", in: dsn) == "\(2 * Self.rows)")
        return dsn
    }

    /// Asks often enough that the server would change to a plan for all parameters, if it thought that no worse.
    private func live(_ ledger: Ledger) async throws {
        for round in 0..<8 {
            let payment = Payment(1_000_000 + round * 10), canceled = Payment(1_000_001 + round * 10), released = Payment(1_000_002 + round * 10)
            var create = payment.create
            create.searchTerms = [Int64(round), 7]
            for entry in [
                create, payment.accept(), payment.requestSettlement, payment.resolve(0), payment.resolve(1, concludes: .settled), canceled.create,
                canceled.cancel(nil), released.create, released.accept(), released.release, Payment(1_000_003 + round * 10).void, released.expire, tell("evt_\(round)"),
            ] { #expect(await ledger.commit(entry).isApplied) }
            _ = await ledger.lookup([payment.hash, released.hash])
            _ = await ledger.unresolved()
            _ = try await ledger.invoice(payment.hash, account: 1)
            _ = try await ledger.expired(before: UnixTime(milliseconds: 1), limit: 500)
            _ = try await ledger.events(after: Int64(Self.rows - 10), limit: 10)
            for account in [1, 2] as [Int64] {
                _ = try await ledger.events(after: Int64(Self.rows - 20), limit: 10, account: account)
                _ = try await ledger.events(after: Int64(Self.rows - 30), limit: 10, account: account, types: [.invoiceCreated])
                for state in [nil, .open, .settled, .failed, .accepted] as [InvoiceState?] {
                    for terms in [[], [7], [7, Int64(round)]] as [[Int64]] {
                        _ = try await ledger.invoices(.init(account: account, state: state, terms: terms, limit: 10))
                    }
                }
                _ = try await ledger.bookings(.init(account: account, from: UnixTime(seconds: 0), until: now.advanced(byMilliseconds: 1 << 40), limit: 10))
            }
            _ = try await ledger.events(after: 0, limit: 10, paymentHash: payment.hash)
            _ = try await withCheckedContinuation { done in ledger.invoices([payment.hash, canceled.hash]) { done.resume(returning: $0) } }.get()
        }
    }

    @Test("no statement of the gateway reads a whole table, and none reads what it does not need")
    func plans() async throws {
        let dsn = try await filled()
        let ledger = try await startedLedger(dsn)
        _ = try await ledger.acquireLease(instance: "tests", milliseconds: 60_000)
        TestServer.sql("SELECT pg_stat_reset()", in: dsn)
        try await live(ledger)
        // A session tells its numbers at its end.
        ledger.close()
        var read = ""
        for _ in 0..<200 where read.isEmpty || read == "0" {
            try await Task.sleep(for: .milliseconds(50))
            read = TestServer.sql("SELECT sum(idx_scan) FROM pg_stat_user_tables WHERE relname IN \(Self.big)", in: dsn)
        }
        #expect(TestServer.sql("SELECT relname, seq_scan FROM pg_stat_user_tables WHERE seq_scan > 0 AND (relname IN \(Self.big))", in: dsn) == "")
        let rows = TestServer.sql("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname IN \(Self.big)", in: dsn)
        // Some 500 statements, of which the largest may take 11 rows, and a few of each list's candidates.
        let count = try #require(Int(rows))
        #expect(count < Self.rows / 2, "\(rows) index entries were read")
    }
}
