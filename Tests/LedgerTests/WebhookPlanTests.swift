import Delivery
import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("With many webhook endpoints")
@LoopActor
struct WebhookPlanTests {
    private static let accounts = 20, endpoints = 1_000, deliveries = 100_000

    /// Twenty accounts with a thousand endpoints each, one of them with a long log of deliveries, of which some wait.
    private func filled() async throws -> String {
        let dsn = TestServer.makeDatabase()
        _ = try await Ledger.migrate(dsn: dsn)
        for statement in [
            "INSERT INTO accounts (id, name) SELECT n, 'account' FROM generate_series(2, \(Self.accounts)) n",
            """
            INSERT INTO webhook_endpoints (id, account, url, events, description, signatures, concurrency, created_at, version, cursor)
            SELECT 'we_' || n, 1 + n % \(Self.accounts), 'https://shop.example/', '{*}', '', '{v1}', 1, now(), n, 0
            FROM generate_series(1, \(Self.accounts * Self.endpoints)) n
            """,
            "UPDATE webhook_changes SET version = \(Self.accounts * Self.endpoints)",
            """
            INSERT INTO webhook_deliveries (endpoint, \\\"offset\\\", event_id, type, state, attempt, attempts, next_attempt_at)
            SELECT 'we_' || 1 + n % 10, n, 'evt', 'invoice.settled', 1, 1, 1, CASE WHEN n % 100 = 0 THEN now() END
            FROM generate_series(1, \(Self.deliveries)) n
            """,
            "UPDATE stream SET head = \(Self.deliveries)", "VACUUM ANALYZE",
        ] { TestServer.sql(statement, in: dsn) }
        try #require(TestServer.sql("SELECT count(*) FROM webhook_deliveries", in: dsn) == "\(Self.deliveries)")
        return dsn
    }

    @Test("37: an endpoint is made, found and changed, and a delivery stored and read, by its index, however many there are")
    func plans() async throws {
        let dsn = try await filled()
        let ledger = try await startedLedger(dsn)
        _ = try await ledger.acquireLease(instance: "tests", milliseconds: 60_000)
        let term = try #require(ledger.currentTerm)
        TestServer.sql("SELECT pg_stat_reset()", in: dsn)
        for round in 0..<8 {
            // One of those with a long log.
            let id = "we_2"
            let found = try #require(try await ledger.webhook(id, account: 3))
            _ = try await ledger.updateWebhook(id, account: 3, WebhookEndpointChange(url: found.url))
            _ = try await ledger.deliveries(id, account: 3)
            _ = try await ledger.waiting(id)
            _ = try await ledger.changedWebhooks(after: Int64(Self.accounts * Self.endpoints + round))
            _ = try await ledger.redeliver(to: found, types: [], after: 0, until: 10, limit: 10)
            var progress = WebhookProgress()
            progress.records = [(id, DeliveryRecord(
                offset: Int64(Self.deliveries + round), eventID: "evt", type: .invoiceSettled, state: .delivered, attempt: 1, attemptedAt: found.createdAt))]
            progress.endpoints = [id: .init(cursor: Int64(Self.deliveries + round))]
            progress.broughtForward = [id]
            try await ledger.store(progress, term: term)
            #expect(try await ledger.deleteWebhook("we_\(3 + 20 * round)", account: 4))
        }
        // A session tells its numbers at its end.
        ledger.close()
        var read = ""
        for _ in 0..<200 where read.isEmpty || read == "0" {
            try await Task.sleep(for: .milliseconds(50))
            read = TestServer.sql("SELECT sum(idx_scan) FROM pg_stat_user_tables WHERE relname LIKE 'webhook_%'", in: dsn)
        }
        let scanned = TestServer.sql(
            "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE seq_scan > 0 AND relname IN ('webhook_endpoints', 'webhook_deliveries')", in: dsn)
        #expect(scanned == "")
        let rows = try #require(Int(TestServer.sql(
            "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname IN ('webhook_endpoints', 'webhook_deliveries')", in: dsn)))
        #expect(rows < 5_000, "\(rows) index entries were read")
    }

    @Test("37: an account has a thousand endpoints and no more, and all of them are read page by page")
    func thousand() async throws {
        let dsn = try await filled()
        let ledger = try await startedLedger(dsn)
        func endpoint(_ account: Int64) -> WebhookEndpointRecord {
            WebhookEndpointRecord(id: "we_new", account: account, url: "https://a.example", events: ["*"], createdAt: UnixTime(seconds: 1))
        }
        #expect(try await ledger.insertWebhook(endpoint(1), limit: 1_000) == nil)
        _ = try await ledger.deleteWebhook("we_20", account: 1)
        #expect(try await ledger.insertWebhook(endpoint(1), limit: 1_000) != nil)
        var seen: Set<String> = []
        var version: Int64 = 0
        while case let page = try await ledger.changedWebhooks(after: version), let last = page.last {
            seen.formUnion(page.filter { !$0.isDeleted }.map(\.id))
            version = last.version
        }
        #expect(seen.count == Self.accounts * Self.endpoints)
        ledger.close()
    }
}
