import Delivery
import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("Webhook endpoints and their deliveries")
@LoopActor
struct WebhookTests {
    static let now = UnixTime(seconds: 1_790_000_000)

    private static func endpoint(_ id: String, account: Int64 = 1) -> WebhookEndpointRecord {
        WebhookEndpointRecord(id: id, account: account, url: "https://a.example", events: ["*"], createdAt: now)
    }

    private static func record(_ offset: Int64, _ state: DeliveryRecord.State, next: UnixTime? = nil) -> DeliveryRecord {
        DeliveryRecord(
            offset: offset, eventID: "evt_\(offset)", type: .invoiceSettled, state: state, attempt: 1, status: 500, reason: "answered 500",
            attemptedAt: now, nextAttemptAt: next)
    }

    @Test("an endpoint begins behind the newest event, and is whole when it is read again")
    func begins() async throws {
        try await withLedger { (ledger, dsn) async throws in
            TestServer.sql("UPDATE stream SET head = 41", in: dsn)
            let made = try #require(try await ledger.insertWebhook(Self.endpoint("a")))
            #expect(made.progress.cursor == 41)
            #expect(try await ledger.webhook("a", account: 1) == made)
            #expect(try await ledger.webhook("a", account: 2) == nil)
        }
    }

    @Test("30: no statement of an owner reaches another account's endpoint")
    func foreign() async throws {
        try await withLedger { (ledger, _) async throws in
            _ = try #require(try await ledger.insertWebhook(Self.endpoint("a")))
            #expect(try await ledger.updateWebhook("a", account: 2, WebhookEndpointChange(url: "https://evil.example")) == nil)
            #expect(try await ledger.deleteWebhook("a", account: 2) == false)
            #expect(try await ledger.webhook("a", account: 1)?.url == "https://a.example")
            #expect(try await ledger.deleteWebhook("a", account: 1))
            #expect(try await ledger.webhook("a", account: 1) == nil)
        }
    }

    @Test("a change of something else enables none that was disabled since it was read")
    func disabledMeanwhile() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = try await ledger.insertWebhook(Self.endpoint("a"))
            TestServer.sql("UPDATE webhook_endpoints SET disabled_reason = 'gone', failures = 3", in: dsn)
            let changed = try #require(try await ledger.updateWebhook("a", account: 1, WebhookEndpointChange(description: "mine")))
            #expect(changed.disabledReason == .gone && changed.description == "mine")
            #expect(try await ledger.updateWebhook("a", account: 1, WebhookEndpointChange(isEnabled: false))?.disabledReason == .gone)
            let enabled = try #require(try await ledger.updateWebhook("a", account: 1, WebhookEndpointChange(isEnabled: true)))
            #expect(enabled.disabledReason == nil && enabled.progress.failures == 0)
            #expect(try await ledger.updateWebhook("a", account: 1, WebhookEndpointChange(isEnabled: false))?.disabledReason == .owner)
        }
    }

    @Test("changes of different fields that are made at the same time all stay, and what is not named stays as it was")
    func changesAtOnce() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let made = try #require(try await ledger.insertWebhook(Self.endpoint("a")))
            let replica = try await startedLedger(dsn)
            let changes = [
                WebhookEndpointChange(url: "https://b.example"), WebhookEndpointChange(events: ["htlc.*"]), WebhookEndpointChange(description: "mine"),
                WebhookEndpointChange(signatures: [.v1a]), WebhookEndpointChange(concurrency: 7),
            ]
            await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                var missing = changes.count
                for (index, change) in changes.enumerated() {
                    (index % 2 == 0 ? ledger : replica).updateWebhook("a", account: 1, change) { _ in
                        missing -= 1
                        if missing == 0 { done.resume() }
                    }
                }
            }
            let now = try #require(try await ledger.webhook("a", account: 1))
            #expect(now.url == "https://b.example" && now.events == ["htlc.*"] && now.description == "mine" && now.signatures == [.v1a])
            #expect(now.concurrency == 7 && now.createdAt == made.createdAt && now.disabledReason == nil)
            replica.close()
        }
    }

    @Test("made again under the same id it is the same endpoint, of its own account only")
    func again() async throws {
        try await withLedger { (ledger, _) async throws in
            let made = try #require(try await ledger.insertWebhook(Self.endpoint("a")))
            var again = Self.endpoint("a")
            again.url = "https://other.example"
            #expect(try await ledger.insertWebhook(again)?.url == made.url)
            again.account = 2
            #expect(try await ledger.insertWebhook(again) == nil)
            #expect(try await ledger.webhook("a", account: 1)?.url == made.url)
        }
    }

    @Test("the deliverer hears of every change once, in the order of the changes, of deletions too")
    func changes() async throws {
        try await withLedger { (ledger, _) async throws in
            _ = try await ledger.insertWebhook(Self.endpoint("a"))
            _ = try await ledger.insertWebhook(Self.endpoint("b"))
            let known = try await ledger.changedWebhooks(after: 0)
            #expect(known.map(\.id) == ["a", "b"])
            _ = try await ledger.updateWebhook("a", account: 1, WebhookEndpointChange(description: "changed"))
            _ = try await ledger.deleteWebhook("b", account: 1)
            let changed = try await ledger.changedWebhooks(after: known[1].version)
            #expect(changed.map(\.id) == ["a", "b"])
            #expect(changed.map(\.isDeleted) == [false, true])
            #expect(try await ledger.changedWebhooks(after: changed[1].version).isEmpty)
            #expect(try await ledger.changedWebhooks(after: 0).map(\.id) == ["a"])
        }
    }

    @Test("29: how attempts ended is written only under the term that runs, and a cursor never goes back")
    func fenced() async throws {
        try await withLedger { (ledger, _) async throws in
            _ = try await ledger.insertWebhook(Self.endpoint("a"))
            let term = try #require(ledger.currentTerm)
            var progress = WebhookProgress()
            progress.records = [("a", Self.record(7, .waiting, next: Self.now)), ("a", Self.record(8, .delivered))]
            progress.endpoints = ["a": .init(cursor: 8, failures: 2, failingSince: Self.now)]
            try await ledger.store(progress, term: term - 1)
            #expect(try await ledger.deliveries("a").isEmpty)
            try await ledger.store(progress, term: term)
            #expect(try await ledger.deliveries("a").map(\.record) == [Self.record(8, .delivered), Self.record(7, .waiting, next: Self.now)])
            progress.endpoints = ["a": .init(cursor: 5)]
            progress.disabled = ["a": .gone]
            try await ledger.store(progress, term: term)
            let stored = try #require(try await ledger.webhook("a", account: 1))
            #expect((stored.progress.cursor, stored.progress.failures, stored.disabledReason) == (8, 0, .gone))
            #expect(stored.nextAttemptAt == Self.now)
            #expect(try await ledger.deliveries("a").map(\.attempts) == [2, 2])
        }
    }

    @Test("what waits is read with its event, the most urgent first, and told apart where the log has dropped it")
    func waiting() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = try await ledger.insertWebhook(Self.endpoint("a"))
            TestServer.sql(
                "INSERT INTO events (\\\"offset\\\", part, account, time, id, type, data) VALUES (7, 0, 1, now(), 'evt_7', 'invoice.settled', '{}')", in: dsn)
            var progress = WebhookProgress()
            progress.records = [("a", Self.record(6, .waiting, next: Self.now.advanced(byMilliseconds: 5))), ("a", Self.record(7, .waiting, next: Self.now))]
            progress.endpoints = ["a": .init(cursor: 7)]
            try await ledger.store(progress, term: try #require(ledger.currentTerm))
            let waiting = try await ledger.waiting("a")
            #expect(waiting.map(\.event.offset) == [7, 6])
            #expect(waiting.map(\.isKept) == [true, false])
            #expect(waiting[0].event.data == "{}")
        }
    }

    @Test("a range is sent again without what is another account's or of another type")
    func redelivery() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let endpoint = try #require(try await ledger.insertWebhook(Self.endpoint("a")))
            for (offset, account, type) in [(1, 1, "invoice.settled"), (2, 2, "invoice.settled"), (3, 1, "htlc.settled"), (4, 1, "invoice.settled"), (5, 1, "invoice.settled")] {
                TestServer.sql(
                    "INSERT INTO events (\\\"offset\\\", part, account, time, id, type, data) VALUES (\(offset), 0, \(account), now(), 'evt_\(offset)', '\(type)', '{}')",
                    in: dsn)
            }
            let first = try await ledger.redeliver(to: endpoint, types: [.invoiceSettled], after: 0, until: 4, limit: 10)
            #expect((first.count, first.last) == (2, 4))
            #expect(try await ledger.waiting("a").map(\.event.offset) == [1, 4])
            let limited = try await ledger.redeliver(to: endpoint, types: [], after: 0, until: 100, limit: 2)
            #expect((limited.count, limited.last) == (2, 3))
            #expect(try await ledger.changedWebhooks(after: endpoint.version).map(\.id) == ["a"])
        }
    }

    @Test("what is due already is not written again when an endpoint comes back")
    func broughtForward() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = try await ledger.insertWebhook(Self.endpoint("a"))
            let term = try #require(ledger.currentTerm)
            var progress = WebhookProgress()
            progress.records = [("a", Self.record(7, .waiting, next: UnixTime(seconds: 1_000))), ("a", Self.record(8, .waiting, next: UnixTime(seconds: 9_000_000_000)))]
            try await ledger.store(progress, term: term)
            let before = TestServer.sql("SELECT xmin FROM webhook_deliveries WHERE \\\"offset\\\" = 7", in: dsn)
            var back = WebhookProgress()
            back.broughtForward = ["a"]
            try await ledger.store(back, term: term)
            #expect(TestServer.sql("SELECT xmin FROM webhook_deliveries WHERE \\\"offset\\\" = 7", in: dsn) == before)
            #expect(TestServer.sql("SELECT count(*) FROM webhook_deliveries WHERE next_attempt_at <= now()", in: dsn) == "2")
        }
    }

    @Test("the pieces of what is to be stored are all of it, and no cursor comes before what it passes")
    func pieces() {
        var progress = WebhookProgress()
        progress.records = [("a", Self.record(7, .waiting, next: Self.now)), ("b", Self.record(8, .delivered)), ("a", Self.record(9, .failed))]
        progress.endpoints = ["a": .init(cursor: 9), "b": .init(cursor: 8)]
        progress.broughtForward = ["b"]
        progress.disabled = ["a": .gone]
        let pieces = progress.pieces
        #expect(pieces.map { $0.records.count } == [1, 1, 1, 0, 0] && pieces.map { $0.endpoints.count } == [0, 0, 0, 1, 1])
        #expect(pieces.reduce(into: WebhookProgress()) { $0.add($1) } == progress)
        for piece in pieces { #expect(piece.pieces == [piece]) }
    }

    @Test("finished deliveries are forgotten with the log's events, those that wait are not")
    func pruned() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = try await ledger.insertWebhook(Self.endpoint("a"))
            _ = try await ledger.insertWebhook(Self.endpoint("b"))
            TestServer.sql(
                """
                INSERT INTO webhook_deliveries (endpoint, \\\"offset\\\", event_id, type, state, attempt, attempts, next_attempt_at)
                SELECT e, n, 'evt', 'invoice.settled', 1, 1, 1, CASE WHEN n % 100 = 0 THEN now() END FROM unnest('{a,b}'::text[]) e, generate_series(1, 900) n
                """, in: dsn)
            TestServer.sql("UPDATE stream SET first = 801, head = 900", in: dsn)
            var rounds = 0
            while try await ledger.pruneDeliveries(), rounds < 9 { rounds += 1 }
            #expect(rounds == 1)
            let left = TestServer.sql(
                "SELECT endpoint, count(*), count(next_attempt_at), min(\\\"offset\\\") FROM webhook_deliveries GROUP BY 1 ORDER BY 1", in: dsn)
            #expect(left == "a|108|9|100\nb|108|9|100")
            _ = try await ledger.deleteWebhook("a", account: 1)
            #expect(try await ledger.pruneDeliveries() == false)
            #expect(TestServer.sql("SELECT endpoint, count(*) FROM webhook_deliveries GROUP BY 1", in: dsn) == "b|108")
        }
    }

    @Test("an account has no more endpoints than it may have, and is told of the last one again")
    func limited() async throws {
        try await withLedger { (ledger, _) async throws in
            #expect(try await ledger.insertWebhook(Self.endpoint("a"), limit: 1) != nil)
            #expect(try await ledger.insertWebhook(Self.endpoint("b"), limit: 1) == nil)
            #expect(try await ledger.insertWebhook(Self.endpoint("a"), limit: 1)?.id == "a", "the answer to an earlier attempt was lost")
        }
    }
}

/// The callbacks as `async`.
extension Ledger {
    func insertWebhook(_ endpoint: WebhookEndpointRecord, limit: Int64 = 10) async throws -> WebhookEndpointRecord? {
        try await withCheckedContinuation { done in insertWebhook(endpoint, limit: limit) { done.resume(returning: $0) } }.get()
    }

    func updateWebhook(_ id: String, account: Int64, _ change: WebhookEndpointChange) async throws -> WebhookEndpointRecord? {
        try await withCheckedContinuation { done in updateWebhook(id, account: account, change) { done.resume(returning: $0) } }.get()
    }

    func webhook(_ id: String, account: Int64) async throws -> WebhookEndpointRecord? {
        try await withCheckedContinuation { done in webhook(id, account: account) { done.resume(returning: $0) } }.get()
    }

    func deleteWebhook(_ id: String, account: Int64) async throws -> Bool {
        try await withCheckedContinuation { done in deleteWebhook(id, account: account) { done.resume(returning: $0) } }.get()
    }

    func changedWebhooks(after version: Int64) async throws -> [WebhookEndpointRecord] {
        try await withCheckedContinuation { done in webhooks(changedAfter: version) { done.resume(returning: $0) } }.get()
    }

    func store(_ progress: WebhookProgress, term: Int64) async throws {
        try await withCheckedContinuation { done in store(progress, term: term) { done.resume(returning: $0) } }.get()
    }

    func deliveries(_ endpoint: String, account: Int64 = 1) async throws -> [WebhookDeliveryRow] {
        try await withCheckedContinuation { done in
            webhookDeliveries(endpoint, account: account, before: .max, state: nil, limit: 10) { done.resume(returning: $0) }
        }.get()
    }

    func pruneDeliveries() async throws -> Bool {
        try await withCheckedContinuation { done in pruneDeliveries { done.resume(returning: $0) } }.get()
    }

    func waiting(_ endpoint: String) async throws -> [WaitingDelivery] {
        try await withCheckedContinuation { done in waitingDeliveries(endpoint, limit: 10) { done.resume(returning: $0) } }.get()
    }

    func redeliver(
        to endpoint: WebhookEndpointRecord, types: [EventType], after: Int64, until: Int64, limit: Int64
    ) async throws -> (count: Int64, last: Int64?) {
        try await withCheckedContinuation { done in
            redeliver(to: endpoint, types: types, after: after, until: until, limit: limit) { done.resume(returning: $0) }
        }.get()
    }
}
