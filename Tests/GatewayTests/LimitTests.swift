@testable import Gateway
import Ledger
import Loop
import TestSupport
import Testing
import Wire

/// What a key and an account may have, and what whoever wants more is told.
@LoopActor
@Suite(.serialized) struct LimitTests {
    @Test("whoever asks too often is told so, and when to come back; the others notice nothing")
    func rate() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.invoicesRead, .invoicesWrite], limits: KeyLimits(rate: 2))
            var answers: [HTTPAnswer] = []
            for _ in 0..<6 { answers.append(await test.ask("GET", "/v1/invoices", key: key)) }
            #expect(answers[0].status == 200 && answers[0].fields["ratelimit-limit"] == "2" && answers[0].fields["ratelimit-remaining"] == "1")
            let refused = try #require(answers.first { $0.status == 429 })
            #expect(refused.problem == "rate_limited" && refused.fields["retry-after"] == "1" && refused.fields["ratelimit-remaining"] == "0")
            #expect(refused.fields["ratelimit-reset"] == "1")
            let free = await test.ask("GET", "/v1/invoices")
            #expect(free.status == 200 && free.fields["ratelimit-limit"] == nil)
        }
    }

    @Test("the configuration limits keys that have no limit of their own, and zero is none")
    func standardLimits() async throws {
        try await TestGateway.run(keyLimits: KeyLimits(rate: 50, openInvoices: 1)) { test in
            let plain = await test.makeKey([.invoicesWrite]), free = await test.makeKey([.invoicesWrite], limits: KeyLimits(rate: 0, openInvoices: 0))
            #expect(await test.ask("POST", "/v1/invoices", "{}", key: plain).fields["ratelimit-limit"] == "50")
            #expect(await test.ask("POST", "/v1/invoices", "{}", key: plain).problem == "too_many_open_invoices")
            for _ in 0..<3 {
                let answer = await test.ask("POST", "/v1/invoices", "{}", key: free)
                #expect(answer.status == 201 && answer.fields["ratelimit-limit"] == nil)
            }
        }
    }

    @Test("a key has as many open invoices as it may; one that ends makes room, a stateless one takes none")
    func openInvoices() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.invoicesWrite, .invoicesSettle, .invoicesRead], limits: KeyLimits(openInvoices: 2))
            let first = try await test.create(key: key)
            _ = try await test.create(key: key)
            let refused = await test.ask("POST", "/v1/invoices", "{}", key: key)
            #expect(refused.status == 429 && refused.problem == "too_many_open_invoices" && refused.fields["retry-after"] != nil)
            #expect(await test.ask("POST", "/v1/invoices", #"{"stateless":true}"#, key: key).status == 201)
            _ = try await test.create()
            let hash = try #require(first["payment_hash"]?.text)
            #expect(await test.ask("POST", "/v1/invoices/\(hash)/cancel", "{}", key: key).status == 200)
            #expect(await eventually { TestServer.sql("SELECT count FROM open_invoices", in: test.database) == "1" })
            #expect(await test.ask("POST", "/v1/invoices", "{}", key: key).status == 201)
            #expect(await test.ask("POST", "/v1/invoices", "{}", key: key).status == 429)
        }
    }

    @Test("a hundred creations at once get as many invoices as the key may have open, and no more")
    func openInvoicesAtOnce() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.invoicesWrite], limits: KeyLimits(openInvoices: 10))
            let asked = (0..<100).map { _ in test.begin("/v1/invoices", method: "POST", body: "{}", key: key) }
            var statuses: [Int] = []
            for exchange in asked { statuses.append(await exchange.answer().status) }
            #expect(statuses.count { $0 == 201 } == 10 && statuses.count { $0 == 429 } == 90)
        }
    }

    @Test("an account makes as many valid keys as it may; the refusal names the limit, one that is revoked makes room")
    func keyLimit() async throws {
        try await TestGateway.run(keysPerAccount: 3) { test in
            let body = #"{"scopes":["invoices:read"]}"#
            let fields = ["Idempotency-Key": "third"]
            let second = await test.ask("POST", "/v1/keys", body)
            let third = await test.ask("POST", "/v1/keys", body, fields: fields)
            #expect(second.status == 201 && third.status == 201)
            let refused = await test.ask("POST", "/v1/keys", body)
            #expect(refused.status == 409 && refused.problem == "too_many_keys")
            let limit = try refused.json["limit"]?.text
            #expect(limit == "keys")
            #expect(await test.ask("POST", "/v1/keys", body, fields: fields).body == third.body, "what was made is answered again")
            TestServer.sql("UPDATE claims SET status = NULL, answer = NULL, claimed_until = now() - interval '1 second'", in: test.database)
            #expect(await test.ask("POST", "/v1/keys", body, fields: fields).status == 201, "it was made, and takes no second place")
            let account = await test.makeAccount()
            #expect(await test.ask("POST", "/v1/keys", #"{"scopes":["admin"],"account":\#(account)}"#).status == 201, "another account's are its own")
            let id = try #require(try second.json["id"]?.text)
            _ = await test.ask("DELETE", "/v1/keys/\(id)")
            #expect(await test.ask("POST", "/v1/keys", body).status == 201)
        }
    }

    @Test("a refusal names the limit that was reached, and says when to come back as the header does")
    func namedLimits() async throws {
        try await TestGateway.run(limits: StreamLimits(total: 10, perKey: 0, perWatchToken: 1)) { test in
            let scopes: [Scope] = [.invoicesRead, .invoicesWrite, .eventsRead]
            let slow = await test.makeKey(scopes, limits: KeyLimits(rate: 1)), small = await test.makeKey(scopes, limits: KeyLimits(openInvoices: 1))
            _ = try await test.create(key: small)
            var refused = [await test.ask("POST", "/v1/invoices", "{}", key: small), await test.ask("GET", "/v1/events?after=1&wait=60", key: small)]
            for _ in 0..<5 where refused.count == 2 {
                let answer = await test.ask("GET", "/v1/invoices", key: slow)
                if answer.status == 429 { refused.append(answer) }
            }
            for (answer, (code, limit)) in zip(refused, [("too_many_open_invoices", "open_invoices"), ("too_many_streams", "streams"), ("rate_limited", "requests_per_second")]) {
                let document = try answer.json
                #expect(answer.status == 429 && answer.problem == code && document["limit"]?.text == limit)
                #expect(document["retry_after_seconds"]?.integer.map { "\($0)" } == answer.fields["retry-after"])
            }
            #expect(refused.count == 3)
        }
    }

    @Test("there are as many accounts as a payment secret can name: the last one is paid, and the next is refused")
    func lastAccount() async throws {
        try await TestGateway.run { test in
            TestServer.sql("ALTER TABLE accounts ALTER COLUMN id RESTART WITH \(UInt32.max)", in: test.database)
            let last = await test.ask("POST", "/v1/accounts", #"{"name":"last"}"#)
            let number = try last.json["id"]?.integer
            #expect(last.status == 201 && number == Int64(UInt32.max))
            let refused = await test.ask("POST", "/v1/accounts", #"{"name":"beyond"}"#)
            #expect(refused.status == 409 && refused.problem == "too_many_accounts")
            let key = await test.makeKey([.invoicesWrite, .invoicesRead], account: Int64(UInt32.max))
            #expect(await test.ask("POST", "/v1/invoices", #"{"stateless":true}"#, key: key).status == 201)
        }
    }
}
