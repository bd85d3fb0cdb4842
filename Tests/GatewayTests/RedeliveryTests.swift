@testable import Gateway
import Ledger
import Loop
import TestSupport
import Testing
import Wire

@Suite("Events are sent again", .serialized)
@LoopActor
struct RedeliveryTests {
    @Test("of one range of an account at a time; another account's waits for none, and so does a single delivery")
    func oneAtATime() async throws {
        try await TestGateway.run { test in
            for (id, account) in [("we_0000000000000001", 1), ("we_0000000000000002", 2)] as [(String, Int64)] {
                let endpoint = WebhookEndpointRecord(id: id, account: account, url: "https://shop.example/", events: ["*"], createdAt: test.gateway.now)
                await withCheckedContinuation { done in test.ledger.insertWebhook(endpoint, limit: 9) { _ in done.resume() } }
            }
            let path = "/v1/webhooks/we_0000000000000001/redeliver", range = #"{"after":0,"until":9}"#
            test.api.redelivering = [2]
            #expect(await test.ask("POST", path, range).status == 202)
            test.api.redelivering = [1]
            let refused = await test.ask("POST", path, range)
            #expect(refused.status == 429 && refused.problem == "too_many_redeliveries" && refused.fields["retry-after"] != nil)
            #expect(await test.ask("POST", path, #"{"after":8,"until":9}"#).status == 404, "it is looked for")
            test.api.redelivering = []
            for _ in 0..<2 { #expect(await test.ask("POST", path, range).status == 202) }
            #expect(test.api.redelivering.isEmpty)
        }
    }
}
