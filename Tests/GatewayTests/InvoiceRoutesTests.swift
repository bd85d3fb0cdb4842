@testable import Gateway
import Ledger
import Loop
import Payments
import TestSupport
import Testing
import Wire

@LoopActor
@Suite(.serialized) struct InvoiceRoutesTests {
    private nonisolated static let nobody = String(repeating: "0", count: 64)

    private func path(_ invoice: JSONValue, _ rest: String = "") throws -> String {
        "/v1/invoices/" + (try #require(invoice["payment_hash"]?.text)) + rest
    }

    private func state(_ answer: HTTPAnswer) -> String? { (try? answer.json)?["state"]?.text }

    @Test("an invoice is created, shown as it was answered, and told as an event")
    func creates() async throws {
        try await TestGateway.run { test in
            let answer = await test.ask(
                "POST", "/v1/invoices", #"{"amount_msat":21000,"description":"Tea","settlement":"hold","metadata":{"order":7},"expiry_seconds":60}"#,
                fields: ["X-Request-Id": "abc"])
            #expect(answer.status == 201 && answer.fields["x-request-id"] == "abc" && answer.fields["cache-control"] == "no-store")
            let invoice = try answer.json
            #expect(invoice["state"]?.text == "open" && invoice["settlement"]?.text == "hold" && invoice["amount_msat"]?.integer == 21000)
            #expect(invoice["metadata"]?["order"]?.integer == 7 && invoice["preimage"] == nil)
            let token = try #require(invoice["watch_token"]?.text)
            #expect(invoice["checkout_url"]?.text == "https://pay.example/checkout/" + token)
            let shown = try await test.ask("GET", path(invoice))
            #expect(shown.status == 200)
            for name in ["payment_hash", "payment_request", "state", "description", "created_at", "expires_at", "watch_token", "checkout_url"] {
                #expect(try shown.json[name]?.text == invoice[name]?.text && invoice[name]?.text != nil, "\(name)")
            }
            let event = try await test.ask("GET", "/v1/events").json["events"]?.items?.first
            #expect(event?["type"]?.text == "invoice.created" && event?["data"]?["payment_hash"]?.text == invoice["payment_hash"]?.text)
        }
    }

    @Test("invoices that are looked up at the same time each get to whom they belong")
    func lookUps() async throws {
        try await TestGateway.run { test in
            var paths: [String] = []
            for _ in 0..<20 { paths.append(try path(try await test.create())) }
            let asked = paths.map { test.begin($0) }
            for (path, exchange) in zip(paths, asked) {
                let hash = try await exchange.answer().json["payment_hash"]?.text
                #expect(hash.map { path.hasSuffix($0) } == true)
            }
        }
    }

    @Test("an invoice without an amount, and one whose description is a hash, say so")
    func amountless() async throws {
        try await TestGateway.run { test in
            let open = try await test.create("{}")
            #expect(open["amount_msat"]?.isNull == true && open["description"]?.text == "" && open["description_hash"] == nil)
            let hash = String(repeating: "ab", count: 32)
            let hashed = try await test.create(#"{"description_hash":"\#(hash)"}"#)
            let shown = try await test.ask("GET", path(hashed)).json
            #expect(shown["description_hash"]?.text == hash && shown["description"] == nil)
        }
    }

    @Test("an invoice nobody pays expires, is told once, and cannot be canceled any more")
    func expires() async throws {
        try await TestGateway.run { test in
            let invoice = try await test.create(#"{"amount_msat":1000,"expiry_seconds":1}"#)
            #expect(try await test.ask("GET", path(invoice, "/wait?timeout=20")).status == 410)
            #expect(state(try await test.ask("GET", path(invoice))) == "expired")
            #expect(try await test.ask("POST", path(invoice, "/cancel"), "{}").status == 409)
            let types = try await test.ask("GET", "/v1/events").json["events"]?.items?.map { $0["type"]?.text }
            #expect(types == ["invoice.created", "invoice.expired"])
        }
    }

    @Test("a stateless invoice is answered and stored nowhere")
    func stateless() async throws {
        try await TestGateway.run { test in
            let invoice = try await test.create(#"{"amount_msat":1,"stateless":true}"#)
            #expect(try await test.ask("GET", path(invoice)).status == 404)
            #expect(try await test.ask("GET", "/v1/events").json["events"]?.items?.isEmpty == true)
        }
    }

    @Test("what is wrong with a body is named", arguments: [
        ("{", 400, "invalid_json", nil), ("[]", 422, nil, nil), (#"{"amount":1}"#, 422, "unknown_field", "amount"),
        (#"{"amount_msat":0}"#, 422, "invalid_field", "amount_msat"), (#"{"amount_msat":"1"}"#, 422, "invalid_field", "amount_msat"),
        (#"{"settlement":"later"}"#, 422, "invalid_field", "settlement"), (#"{"expiry_seconds":0}"#, 422, "invalid_field", "expiry_seconds"),
    ] as [(String, Int, String?, String?)])
    func badBody(body: String, status: Int, code: String?, field: String?) async throws {
        try await TestGateway.run { test in
            let answer = await test.ask("POST", "/v1/invoices", body)
            #expect(answer.fields["content-type"] == "application/problem+json")
            #expect(answer.status == status || answer.status == 400)
            if let code { #expect(answer.problem == code && answer.field == field) }
        }
    }

    @Test("pages show each invoice once, the newest first, and only those in the state that is asked for")
    func lists() async throws {
        try await TestGateway.run { test in
            var made: [String] = []
            for _ in 0..<5 { made.append(try #require(try await test.create()["payment_hash"]?.text)) }
            _ = await test.ask("POST", "/v1/invoices/\(made[1])/cancel", "{}")
            var found: [String] = []
            var next: String?
            repeat {
                let page = try await test.ask("GET", "/v1/invoices?limit=2" + (next.map { "&after=\($0)" } ?? "")).json
                found += page["invoices"]?.items?.compactMap { $0["payment_hash"]?.text } ?? []
                next = page["next"]?.text
            } while next != nil
            #expect(found == made.reversed())
            let canceled = try await test.ask("GET", "/v1/invoices?state=canceled").json["invoices"]?.items
            #expect(canceled?.map { $0["payment_hash"]?.text } == [made[1]])
        }
    }

    @Test("parameters of a page and of a wait that have no valid value are named", arguments: [
        ("/v1/invoices?limit=0", "limit"), ("/v1/invoices?limit=501", "limit"), ("/v1/invoices?after=x", "after"),
        ("/v1/invoices?state=paid", "state"), ("/v1/invoices/\(nobody)/wait?timeout=121", "timeout"),
        ("/v1/invoices/\(nobody)/wait?timeout=-1", "timeout"),
    ])
    func badParameters(path: String, field: String) async throws {
        try await TestGateway.run { test in
            let answer = await test.ask("GET", path)
            #expect(answer.status == 400 && answer.field == field)
        }
    }

    @Test("canceling twice is the same as once; afterwards it is too late to settle")
    func cancels() async throws {
        try await TestGateway.run { test in
            let invoice = try await test.create(#"{"amount_msat":1000,"settlement":"hold"}"#)
            for _ in 0..<2 {
                let answer = try await test.ask("POST", path(invoice, "/cancel"), "{}")
                #expect(answer.status == 200 && state(answer) == "canceled")
            }
            #expect(try await test.ask("POST", path(invoice, "/settle"), "{}").status == 409)
            let types = try await test.ask("GET", "/v1/events").json["events"]?.items?.map { $0["type"]?.text }
            #expect(types == ["invoice.created", "invoice.canceled"])
        }
    }

    @Test("an invoice that nobody has paid cannot be settled, a set that is none is named, an unknown invoice is 404")
    func refusesDecisions() async throws {
        try await TestGateway.run { test in
            let invoice = try await test.create(#"{"amount_msat":1000,"settlement":"hold"}"#)
            #expect(try await test.ask("POST", path(invoice, "/settle"), "{}").status == 409)
            let answer = try await test.ask("POST", path(invoice, "/settle"), #"{"set_id":"12"}"#)
            #expect(answer.status == 422 && answer.field == "set_id")
            for wish in ["settle", "cancel"] {
                let unknown = await test.ask("POST", "/v1/invoices/\(Self.nobody)/\(wish)", "{}")
                #expect(unknown.status == 404 && unknown.problem == "unknown_invoice")
            }
        }
    }

    @Test("a wait ends with the invoice: 402 while it is unpaid, 410 as soon as it is canceled")
    func waits() async throws {
        try await TestGateway.run { test in
            let invoice = try await test.create()
            let unpaid = try await test.ask("GET", path(invoice, "/wait?timeout=0"))
            #expect(unpaid.status == 402 && state(unpaid) == "open")
            let waiting = test.begin(try path(invoice, "/wait?timeout=60"))
            #expect(await eventually { test.api.streams.count == 1 })
            _ = try await test.ask("POST", path(invoice, "/cancel"), "{}")
            let answer = await waiting.answer()
            #expect(answer.status == 410 && state(answer) == "canceled" && test.api.streams.count == 0)
            #expect(try await test.ask("GET", path(invoice, "/wait?timeout=60")).status == 410)
            #expect(await test.ask("GET", "/v1/invoices/\(Self.nobody)/wait").status == 404)
        }
    }

    @Test("a wait in vain ends with 402, and a client that goes away waits no more")
    func waitsInVain() async throws {
        try await TestGateway.run { test in
            let invoice = try await test.create()
            #expect(try await test.ask("GET", path(invoice, "/wait?timeout=1")).status == 402)
            let gone = test.begin(try path(invoice, "/wait?timeout=60"))
            #expect(await eventually { test.api.streams.count == 1 })
            gone.close()
            #expect(await eventually { test.api.streams.count == 0 })
        }
    }

    @Test("another account finds nothing and decides nothing")
    func accounts() async throws {
        try await TestGateway.run { test in
            TestServer.sql("INSERT INTO accounts (id, name) VALUES (7, 'other')", in: test.database)
            let other = await test.makeKey([.admin], account: 7)
            let invoice = try await test.create()
            for rest in ["", "/wait?timeout=0"] { #expect(try await test.ask("GET", path(invoice, rest), key: other).status == 404) }
            for rest in ["/settle", "/cancel"] { #expect(try await test.ask("POST", path(invoice, rest), "{}", key: other).status == 404) }
            #expect(try await test.ask("GET", "/v1/invoices", key: other).json["invoices"]?.items?.isEmpty == true)
            #expect(state(try await test.ask("GET", path(invoice))) == "open")
        }
    }

    @Test("no key is 401, a key without the scope 403")
    func rights() async throws {
        try await TestGateway.run { test in
            let reader = await test.makeKey([.invoicesRead])
            let invoice = try await test.create()
            for key in [nil, "ley_0", reader + "0"] as [String?] {
                let answer = try await test.ask("GET", path(invoice), key: .some(key))
                #expect(answer.status == 401 && answer.fields["www-authenticate"] == "Bearer")
            }
            #expect(try await test.ask("GET", path(invoice), key: reader).status == 200)
            #expect(await test.ask("POST", "/v1/invoices", "{}", key: reader).status == 403)
            #expect(try await test.ask("POST", path(invoice, "/cancel"), "{}", key: reader).status == 403)
            #expect(await test.ask("GET", "/v1/events", key: reader).status == 403)
            #expect(await test.ask("GET", "/v1/info", key: reader).status == 200)
        }
    }

    @Test("while the store is away nobody waits for it: 503 and when to come back")
    func storeAway() async throws {
        try await TestGateway.run { test in
            let invoice = try await test.create()
            TestServer.open(false, test.database)
            defer { TestServer.open(true, test.database) }
            #expect(await eventually { test.ledger.state != .connected })
            for (method, path) in [("GET", try path(invoice)), ("GET", "/v1/invoices"), ("GET", "/v1/events"), ("POST", "/v1/invoices"), ("GET", "/v1/info")] {
                let answer = await test.ask(method, path, method == "POST" ? "{}" : nil)
                #expect(answer.status == 503 && answer.fields["retry-after"] != nil, "\(method) \(path)")
            }
        }
    }
}
