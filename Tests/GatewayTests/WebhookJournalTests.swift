import Delivery
@testable import Gateway
import Ledger
import Logging
import Loop
import Payments
import TestSupport
import Testing

@Suite("What deliveries have come to is stored")
@LoopActor
struct WebhookJournalTests {
    private static func record(_ offset: Int64, id: String = "evt") -> DeliveryRecord {
        DeliveryRecord(offset: offset, eventID: id, type: .invoiceSettled, state: .delivered, attempt: 1, status: 200, attemptedAt: UnixTime(seconds: 1_790_000_000))
    }

    /// A gateway whose endpoints' deliveries the test stores itself.
    private func withJournal(_ body: @LoopActor (WebhookJournal, TestGateway, @LoopActor (String, Int64) -> Void) async throws -> Void) async throws {
        try await TestGateway.run { test in
            for id in ["a", "b"] {
                let endpoint = WebhookEndpointRecord(id: id, account: 1, url: "https://shop.example/", events: ["*"], createdAt: test.gateway.now)
                await withCheckedContinuation { done in test.ledger.insertWebhook(endpoint, limit: 9) { _ in done.resume() } }
            }
            var logger = Logger(label: "tests")
            logger.logLevel = .critical
            var cursors: [String: Int64] = [:]
            let journal = WebhookJournal(ledger: test.ledger, term: try #require(test.ledger.currentTerm), logger: logger) { id in
                cursors[id].map { EndpointMachine.Progress(cursor: $0) }
            }
            try await body(journal, test) { cursors[$0] = $1 }
        }
    }

    private func stored(_ test: TestGateway) -> String {
        TestServer.sql("SELECT endpoint || offs FROM (SELECT endpoint, \\\"offset\\\" AS offs FROM webhook_deliveries) d ORDER BY 1", in: test.database)
    }

    private func written(_ journal: WebhookJournal) async { await withCheckedContinuation { done in journal.afterwards { done.resume() } } }

    @Test("a row that the database never takes holds back neither the other rows, nor the cursors, nor what comes later")
    func poisoned() async throws {
        try await withJournal { journal, test, came in
            came("a", 1_000_001)
            came("b", 1_000_002)
            journal.note(Self.record(1_000_000), of: "a")
            journal.note(Self.record(1_000_001, id: "e\0vt"), of: "a")
            journal.note(Self.record(1_000_002), of: "b")
            await written(journal)
            #expect(stored(test) == "a1000000\nb1000002")
            #expect(TestServer.sql("SELECT cursor FROM webhook_endpoints ORDER BY id", in: test.database) == "1000001\n1000002")
            journal.note(Self.record(1_000_003), of: "b")
            await written(journal)
            #expect(stored(test) == "a1000000\nb1000002\nb1000003")
        }
    }

    @Test("whoever has to see what was noted waits for that, and not for what others note meanwhile")
    func questions() async throws {
        try await withJournal { journal, test, came in
            came("a", 1_000_000)
            var isAnswered = false
            var offset: Int64 = 2_000_000
            journal.note(Self.record(1_000_000), of: "a")
            journal.afterwards { isAnswered = true }
            // Another endpoint is so busy that something waits whenever something was written.
            @LoopActor func busy() {
                guard !isAnswered, offset < 2_000_100 else { return }
                offset += 1
                journal.note(Self.record(offset), of: "b")
                LoopActor.atEndOfTurn { busy() }
            }
            busy()
            let endless = Timer(afterMilliseconds: 1, repeats: 1) {
                offset += 1
                journal.note(Self.record(offset), of: "b")
            }
            #expect(await eventually { isAnswered })
            #expect(stored(test).contains("a1000000"))
            endless.cancel()
        }
    }

    @Test("what the database says of an endpoint counts for nothing while its end is on the way there")
    func disabling() async throws {
        try await withJournal { journal, test, came in
            came("a", 1)
            #expect(!journal.isDisabling("a"))
            journal.disable("a", .gone)
            #expect(journal.isDisabling("a"))
            journal.write()
            #expect(journal.isDisabling("a"))
            await written(journal)
            #expect(!journal.isDisabling("a"))
            #expect(TestServer.sql("SELECT disabled_reason FROM webhook_endpoints WHERE id = 'a'", in: test.database) == "gone")
        }
    }
}
