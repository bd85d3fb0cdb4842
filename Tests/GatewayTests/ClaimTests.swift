import Edge
@testable import Gateway
import Keys
import Ledger
import Loop
import Payments
import TestSupport
import Testing
import Wire

@LoopActor
@Suite(.serialized) struct ClaimTests {
    private func post(
        _ test: TestGateway, _ body: String, key: String = "a", path: String = "/v1/invoices", by holder: String?? = .none
    ) async -> HTTPAnswer {
        await test.ask("POST", path, body, key: holder, fields: ["Idempotency-Key": key])
    }

    private func text(_ answer: HTTPAnswer, _ field: String) -> String? { (try? answer.json)?[field]?.text }

    private func count(_ test: TestGateway, _ table: String = "invoices") -> String {
        TestServer.sql("SELECT count(*) FROM \(table)", in: test.database)
    }

    @Test("the same request under the same key is answered with the same, and done once")
    func once() async throws {
        try await TestGateway.run { test in
            let first = await post(test, #"{"amount_msat":1000}"#)
            #expect(first.status == 201 && first.fields["idempotency-replayed"] == nil)
            for _ in 0..<3 {
                let again = await post(test, #"{"amount_msat":1000}"#)
                #expect(again.status == 201 && again.body == first.body && again.fields["idempotency-replayed"] == "true")
                #expect(again.fields["content-type"] == first.fields["content-type"])
            }
            #expect(count(test) == "1")
            #expect(await post(test, #"{"amount_msat":1000}"#, key: "b").body != first.body)
        }
    }

    @Test("another body, or another path, under a key that was used is 422")
    func otherRequest() async throws {
        try await TestGateway.run { test in
            #expect(await post(test, #"{"amount_msat":1000}"#).status == 201)
            for (path, body) in [("/v1/invoices", #"{"amount_msat":1001}"#), ("/v1/invoices", ""), ("/v1/accounts", #"{"amount_msat":1000}"#)] {
                let answer = await post(test, body, path: path)
                #expect(answer.status == 422 && answer.problem == "idempotency_key_reused")
            }
            #expect(count(test) == "1")
        }
    }

    @Test("what could not be made for so long that it would have expired is not made any more, and what was made is told")
    func late() async throws {
        try await TestGateway.run { test in
            let limited = await test.makeKey([.invoicesWrite], limits: KeyLimits(openInvoices: 5))
            TestServer.sql("ALTER FUNCTION leyden_count_invoices RENAME TO elsewhere", in: test.database)
            #expect(await post(test, #"{"expiry_seconds":60}"#, by: limited).status == 503)
            TestServer.sql("ALTER FUNCTION elsewhere RENAME TO leyden_count_invoices", in: test.database)
            TestServer.sql("UPDATE claims SET created_at = created_at - interval '2 minutes'", in: test.database)
            let refused = await post(test, #"{"expiry_seconds":60}"#, by: limited)
            #expect(refused.status == 409 && refused.problem == "conflict" && count(test) == "0")
            let made = await post(test, #"{"expiry_seconds":1}"#, key: "b", by: limited)
            #expect(made.status == 201)
            TestServer.sql("UPDATE claims SET answer = NULL, claimed_until = '-infinity' WHERE key = 'b'", in: test.database)
            try await Task.sleep(for: .milliseconds(2100))
            let again = await post(test, #"{"expiry_seconds":1}"#, key: "b", by: limited)
            #expect(again.status == 201 && text(again, "payment_hash") == text(made, "payment_hash") && count(test) == "1")
        }
    }

    @Test("a refusal is an answer too, but not one that says: later")
    func refusals() async throws {
        try await TestGateway.run { test in
            let first = await post(test, #"{"amount_msat":0}"#)
            let again = await post(test, #"{"amount_msat":0}"#)
            #expect(first.status == 422 && again.body == first.body && again.fields["idempotency-replayed"] == "true")
            let limited = await test.makeKey([.invoicesWrite, .invoicesSettle], limits: KeyLimits(openInvoices: 1))
            let held = try await test.create(key: limited)
            #expect(await post(test, "{}", key: "later", by: limited).status == 429)
            _ = await test.ask("POST", "/v1/invoices/\(held["payment_hash"]?.text ?? "")/cancel", "{}")
            #expect(await eventually { TestServer.sql("SELECT count FROM open_invoices", in: test.database) == "0" })
            #expect(await post(test, "{}", key: "later", by: limited).status == 201)
        }
    }

    @Test("a request that comes while the first is carried out is 409, and fifty at once make one invoice")
    func running() async throws {
        try await TestGateway.run { test in
            let asked = (0..<50).map { _ in
                test.begin("/v1/invoices", method: "POST", body: "{}", fields: ["Idempotency-Key": "a"])
            }
            var answers: [HTTPAnswer] = []
            for exchange in asked { answers.append(await exchange.answer()) }
            #expect(answers.allSatisfy { $0.status == 201 || $0.status == 409 && $0.problem == "still_running" })
            #expect(Set(answers.filter { $0.status == 201 }.map(\.body)).count == 1)
            #expect(count(test) == "1")
        }
    }

    @Test("a key belongs to its account: another account's is another key, and tells nothing of the first")
    func tenants() async throws {
        try await TestGateway.run { test in
            let account = await test.makeAccount()
            let other = await test.makeKey([.invoicesWrite, .invoicesRead], account: account)
            let first = await post(test, #"{"amount_msat":1000}"#)
            let foreign = await post(test, #"{"amount_msat":1000}"#, by: other)
            #expect(foreign.status == 201 && foreign.body != first.body && foreign.fields["idempotency-replayed"] == nil)
            #expect(await post(test, #"{"amount_msat":5}"#, by: other).status == 422)
            let colleague = await test.makeKey([.invoicesWrite])
            #expect(await post(test, #"{"amount_msat":1000}"#, by: colleague).body == first.body, "the account's, not the API key's")
            let reader = await test.makeKey([.invoicesRead])
            #expect(await post(test, #"{"amount_msat":1000}"#, by: reader).status == 403, "an answer is told to those who might have asked")
        }
    }

    @Test("a process that dies after making the invoice and before storing the answer leaves one invoice, whoever asks again")
    func crashed() async throws {
        try await TestGateway.run { test in
            let first = await post(test, #"{"amount_msat":1000}"#)
            // As it was before the answer was stored, and the minute over.
            TestServer.sql("UPDATE claims SET status = NULL, answer = NULL, claimed_until = now() - interval '1 second'", in: test.database)
            let again = await post(test, #"{"amount_msat":1000}"#)
            #expect(again.status == 201 && again.fields["idempotency-replayed"] == nil)
            #expect(text(again, "payment_hash") != nil && text(again, "payment_hash") == text(first, "payment_hash"))
            #expect(text(again, "payment_request") != nil && text(again, "payment_request") == text(first, "payment_request"))
            #expect(count(test) == "1" && count(test, "events WHERE type = 'invoice.created'") == "1")
        }
    }

    @Test("the same after a crash for keys, rotations and accounts: nothing is made twice")
    func crashedAdministration() async throws {
        try await TestGateway.run { test in
            let made = await post(test, #"{"scopes":["invoices:read"]}"#, key: "k", path: "/v1/keys")
            let id = try #require(try made.json["id"]?.text)
            let rotated = await post(test, #"{"overlap_seconds":60}"#, key: "r", path: "/v1/keys/\(id)/rotate")
            let account = await post(test, #"{"name":"Tea"}"#, key: "c", path: "/v1/accounts")
            TestServer.sql("UPDATE claims SET status = NULL, answer = NULL, claimed_until = now() - interval '1 second'", in: test.database)
            let rotatedAgain = await post(test, #"{"overlap_seconds":60}"#, key: "r", path: "/v1/keys/\(id)/rotate")
            #expect(text(rotatedAgain, "key") != nil && text(rotatedAgain, "key") == text(rotated, "key"))
            #expect(await post(test, #"{"name":"Tea"}"#, key: "c", path: "/v1/accounts").body == account.body)
            #expect(count(test, "accounts") == "2")
            let keys = count(test, "api_keys")
            TestServer.sql("UPDATE api_keys SET hash = previous_hash, previous_hash = NULL WHERE id = '\(id)'", in: test.database)
            let madeAgain = await post(test, #"{"scopes":["invoices:read"]}"#, key: "k", path: "/v1/keys")
            #expect(text(madeAgain, "key") != nil && text(madeAgain, "key") == text(made, "key"))
            #expect(count(test, "api_keys") == keys)
        }
    }

    @Test("the same after a crash for a webhook's secret: it is replaced once, and the answer tells the one in force")
    func crashedRotation() async throws {
        try await TestGateway.run { test in
            let hook = try await test.ask("POST", "/v1/webhooks", #"{"url":"https://shop.example/","events":["*"]}"#).json
            let path = "/v1/webhooks/\(try #require(hook["id"]?.text))/rotate-secret"
            let first = await post(test, #"{"overlap_seconds":60}"#, key: "r", path: path)
            func crash() {
                TestServer.sql("UPDATE claims SET status = NULL, answer = NULL, claimed_until = now() - interval '1 second'", in: test.database)
            }
            crash()
            let again = await post(test, #"{"overlap_seconds":60}"#, key: "r", path: path)
            #expect(again.fields["idempotency-replayed"] == nil && again.body == first.body)
            #expect(TestServer.sql("SELECT generation FROM webhook_endpoints", in: test.database) == "2")
            let other = await post(test, "{}", key: "s", path: path)
            #expect(text(other, "secret") != nil && text(other, "secret") != text(first, "secret"))
            crash()
            #expect(text(await post(test, #"{"overlap_seconds":60}"#, key: "r", path: path), "secret") == text(other, "secret"))
            #expect(TestServer.sql("SELECT generation FROM webhook_endpoints", in: test.database) == "3")
        }
    }

    @Test("a new key is repeated under its Idempotency-Key, and lies nowhere in the database as it is")
    func sealed() async throws {
        try await TestGateway.run { test in
            let made = await post(test, #"{"scopes":["admin"]}"#, path: "/v1/keys")
            #expect(await post(test, #"{"scopes":["admin"]}"#, path: "/v1/keys").body == made.body)
            let secret = try #require(try made.json["key"]?.text).suffix(64)
            let stored = TestServer.sql("SELECT encode(answer, 'escape'), encode(answer, 'hex'), encode(seed, 'hex') FROM claims", in: test.database)
            #expect(!stored.isEmpty && !stored.contains(secret) && !stored.contains(Hex.encode(Array(secret.utf8))))
        }
    }

    @Test("what no Idempotency-Key can be is 400", arguments: ["", String(repeating: "a", count: 256), "caf\u{E9}"])
    func malformed(key: String) async throws {
        try await TestGateway.run { test in
            #expect(await post(test, "{}", key: key).problem == "invalid_idempotency_key")
            #expect(count(test) == "0" && count(test, "claims") == "0")
        }
    }

    @Test("without the header nothing is claimed")
    func noHeader() async throws {
        try await TestGateway.run { test in
            _ = try await test.create()
            #expect(count(test, "claims") == "0")
        }
    }

    @Test("another process, and the same after a restart, gives the stored answer")
    func replicas() async throws {
        var database = ""
        var first: HTTPAnswer?
        try await TestGateway.run { test in
            database = test.database
            first = await post(test, #"{"amount_msat":7}"#)
        }
        try await TestGateway.run(database: database) { test in
            let admin = await test.makeKey([.admin], number: 99)
            #expect(await post(test, #"{"amount_msat":7}"#, by: admin).body == first?.body)
            #expect(count(test) == "1")
        }
    }

    // MARK: Two processes

    private func claims(_ test: TestGateway) -> Claims { Claims(ledger: test.ledger, secrets: ClaimSecrets(identity: PaidInvoice.identity)) }

    private let asked = HTTPRequest(method: .post, path: "/v1/invoices", body: Array("{}".utf8))

    private func claim(_ claims: Claims) async -> Claims.Claim? {
        await withCheckedContinuation { done in
            claims.claim(asked, key: "a", account: 1, at: UnixTime(seconds: 5)) { outcome in
                if case .granted(let claim) = outcome { done.resume(returning: claim) } else { done.resume(returning: nil) }
            }
        }
    }

    private func end(_ claims: Claims, _ claim: Claims.Claim, _ response: HTTPResponse) async -> HTTPResponse {
        await withCheckedContinuation { done in claims.end(claim, response) { done.resume(returning: $0) } }
    }

    @Test("a process that stalled tells nothing of its own once another has its claim, and does not free it", arguments: [201, 503])
    func stalled(status: Int) async throws {
        try await TestGateway.run { test in
            let stalled = claims(test), successor = claims(test)
            let lost = try #require(await claim(stalled))
            TestServer.sql("UPDATE claims SET claimed_until = now() - interval '1 second'", in: test.database)
            let held = try #require(await claim(successor))
            #expect(held.seed == lost.seed && held.time == lost.time && held.lease != lost.lease)
            let told = await end(stalled, lost, .json(Array("1".utf8), status: status))
            #expect(told.status == (status == 201 ? 409 : 503))
            #expect(await claim(claims(test))?.lease == nil, "it is the successor's still")
            #expect(await end(successor, held, .json(Array("2".utf8), status: 201)).status == 201)
            #expect(TestServer.sql("SELECT status FROM claims", in: test.database) == "201")
        }
    }
}
