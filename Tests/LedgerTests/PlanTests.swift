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

    private static let kept = "('api_keys', 'audit', 'claims', 'webhook_endpoints', 'webhook_deliveries', 'counted_invoices')"

    /// Twenty accounts with a thousand keys and a thousand endpoints each, a log and claims of some days.
    private func crowded() async throws -> String {
        let dsn = TestServer.makeDatabase()
        _ = try await Ledger.migrate(dsn: dsn)
        TestServer.sql("""
            INSERT INTO accounts (id, name) SELECT n, 'shop' FROM generate_series(2, 20) n;
            INSERT INTO api_keys (id, name, hash, scopes, account, created_at)
                SELECT lpad(to_hex(n), 16, '0'), '', sha256(int8send(n)), '{}', 1 + n / 1000, now() FROM generate_series(1, 19999) n;
            INSERT INTO audit SELECT lpad(to_hex(n), 32, '0'), now(), 1 + n % 20, 'k', 'http', 'POST', '/', NULL, 200 FROM generate_series(1, 60000) n;
            INSERT INTO claims (account, key, request, seed, created_at, status, answer)
                SELECT 1 + n % 20, n, sha256(int8send(n)), sha256(int8send(n)), now() + n * interval '1 second', 200, '' FROM generate_series(1, 60000) n;
            INSERT INTO webhook_endpoints (id, account, url, events, description, signatures, concurrency, created_at, version, cursor)
                SELECT 'w' || n, 1 + n / 1000, 'https://a.example', '{*}', '', '{v1}', 1, now(), n, 0 FROM generate_series(1, 19999) n;
            INSERT INTO webhook_deliveries (endpoint, \\"offset\\", event_id, type, state, attempt, attempts)
                SELECT 'w' || n % 1000 + 1, n, 'evt', 'invoice.settled', 1, 1, 1 FROM generate_series(1, 60000) n;
            INSERT INTO counted_invoices (payment_hash, key_id) SELECT sha256(int8send(n)), 'k' FROM generate_series(1, 20000) n
            """, in: dsn)
        TestServer.sql("VACUUM ANALYZE", in: dsn)
        try #require(TestServer.sql("SELECT count(*) FROM webhook_deliveries", in: dsn) == "60000")
        return dsn
    }

    private func administer(_ ledger: Ledger) async throws {
        for round in 0..<8 {
            let key = APIKeyRecord(id: "n\(round)", name: "", hash: bytes(round, 200), scopes: [], account: 20, createdAt: now)
            #expect(try await ledger.insertKey(key, limit: 100_000) == .made)
            _ = try await ledger.key(hash: bytes(round, 200))
            _ = try await ledger.keys(account: 1, limit: 10)
            _ = try await ledger.rotateKey("n\(round)", account: 20, to: bytes(round, 201), previousUntil: now, at: now)
            try await ledger.noteUse(["n\(round)": now])
            _ = try await ledger.revokeKey("n\(round)", account: 20, at: now)
            let wish = ClaimRequest(account: 1, key: "c\(round)", request: bytes(1, 1), seed: bytes(1, 1), time: now)
            guard case .granted(let lease, _, _)? = try await ledger.claim([wish]).first else { Issue.record("not granted"); return }
            #expect(try await ledger.answerClaims([ClaimAnswer(lease, status: 200, answer: [1])]) == [true])
            _ = try await ledger.forgetClaims(before: UnixTime(milliseconds: 1))
            _ = try await ledger.audit(account: 7, limit: 10)
            _ = try await ledger.audit(before: "0000", limit: 10)
            _ = try await ledger.forgetAudit(before: "00000000000000000000000000000002")
            let endpoint = WebhookEndpointRecord(id: "n\(round)", account: 20, url: "https://a.example", events: ["*"], createdAt: now)
            _ = await withCheckedContinuation { done in ledger.insertWebhook(endpoint, limit: 100_000) { done.resume(returning: $0) } }
            #expect(try await ledger.updateWebhook("n\(round)", account: 20, WebhookEndpointChange(description: "x")) != nil)
            _ = await withCheckedContinuation { done in ledger.webhooks(account: 7, after: 0, limit: 10) { done.resume(returning: $0) } }
            _ = await withCheckedContinuation { done in ledger.webhookDeliveries("w7", account: 1, before: .max, state: nil, limit: 10) { done.resume(returning: $0) } }
            _ = try await ledger.count([CountedInvoice(keyID: "k", paymentHash: PaymentHash(bytes(round, 3)), limit: 100_000)])
            try await ledger.uncount([PaymentHash(bytes(round, 3))])
        }
    }

    @Test("37: with a thousand endpoints and keys for each account and a long log, each statement reads its own rows alone")
    func manyOfEach() async throws {
        let dsn = try await crowded()
        let ledger = try await startedLedger(dsn)
        TestServer.sql("SELECT pg_stat_reset()", in: dsn)
        try await administer(ledger)
        ledger.close()
        var read = ""
        for _ in 0..<200 where read.isEmpty || read == "0" {
            try await Task.sleep(for: .milliseconds(50))
            read = TestServer.sql("SELECT sum(idx_scan) FROM pg_stat_user_tables WHERE relname IN \(Self.kept)", in: dsn)
        }
        #expect(TestServer.sql("SELECT relname, seq_scan FROM pg_stat_user_tables WHERE seq_scan > 0 AND relname IN \(Self.kept)", in: dsn) == "")
        // A new key and a new endpoint are counted among the thousand of their account, and nothing else reads more than its page.
        let rows = try #require(Int(TestServer.sql("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname IN \(Self.kept)", in: dsn)))
        #expect(rows < 8 * (2 * 1100 + 500), "\(rows) index entries were read")
    }
}
