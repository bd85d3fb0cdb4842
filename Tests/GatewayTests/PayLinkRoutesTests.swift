@testable import Gateway
import Ledger
import Loop
import Payments
import Testing
import Wire

@LoopActor
@Suite(.serialized) struct PayLinkRoutesTests {
    private nonisolated static let tea = #""description":"Tea","min_msat":1000,"max_msat":5000"#

    @Test("a link is made with what was asked, listed, changed and taken away; wallets see each of these at once")
    func life() async throws {
        try await TestGateway.run { test in
            let made = try await test.ask("POST", "/v1/lnurl/pay-links", "{\(Self.tea),\"comment_allowed\":9}").json
            let id = try #require(made["id"]?.text)
            #expect(made["url"]?.text == "https://pay.example/lnurl/pay/\(id)" && made["lnurlp"]?.text == "lnurlp://pay.example/lnurl/pay/\(id)")
            #expect(made["lnurl"]?.text?.hasPrefix("lnurl1") == true && made["lightning"]?.text?.hasPrefix("lightning:lnurl1") == true)
            #expect(try await test.ask("GET", "/v1/lnurl/pay-links").json["pay_links"]?.items?.first?["id"]?.text == id)
            let offer = await test.ask("GET", "/lnurl/pay/\(id)", key: .some(nil))
            let shown = try offer.json
            #expect(shown["commentAllowed"]?.whole == 9 && offer.fields["access-control-allow-origin"] == "*")
            #expect(offer.fields["content-type"] == "application/json; charset=utf-8" && offer.fields["cache-control"] == "no-store")
            let changed = try await test.ask("PATCH", "/v1/lnurl/pay-links/\(id)", #"{"comment_allowed":0,"max_msat":9000}"#).json
            #expect(changed["max_msat"]?.whole == 9000 && changed["description"]?.text == "Tea")
            let without = try await test.ask("GET", "/lnurl/pay/\(id)", key: .some(nil)).json
            #expect(without["commentAllowed"] == nil && without["maxSendable"]?.whole == 9000)
            #expect(await test.ask("DELETE", "/v1/lnurl/pay-links/\(id)").status == 200)
            #expect(try await test.ask("GET", "/lnurl/pay/\(id)", key: .some(nil)).json["status"]?.text == "ERROR")
            #expect(await test.ask("GET", "/v1/lnurl/pay-links/\(id)").problem == "unknown_pay_link")
        }
    }

    @Test("what is no link is refused by the field that is wrong", arguments: [
        ("{}", "description"), (#"{"description":"x","min_msat":2,"max_msat":1}"#, "max_msat"), (#"{"description":"","min_msat":1,"max_msat":1}"#, "description"),
        (#"{"description":"a\u0007","min_msat":1,"max_msat":1}"#, "description"), (#"{"description":"a\u202e","min_msat":1,"max_msat":1}"#, "description"),
        ("{\(tea),\"comment_allowed\":501}", "comment_allowed"), ("{\(tea),\"min\":1}", "min"), ("{\(tea),\"name\":\"x\"}", "name"),
        ("{\(tea),\"success_action\":{\"tag\":\"x\"}}", "success_action.tag"), ("{\(tea),\"success_action\":{\"tag\":\"message\",\"message\":\" \"}}", "success_action.message"),
        ("{\(tea),\"success_action\":{\"tag\":\"url\",\"description\":\"x\",\"url\":\"https://pay.example.evil/\"}}", "success_action.url"),
        ("{\(tea),\"payer_data\":{}}", "payer_data"), ("{\(tea),\"payer_data\":{\"age\":{}}}", "payer_data.age"),
        ("{\(tea),\"order_id\":\"a\"}", "max_msat"), ("{\(tea),\"metadata\":[]}", "metadata"),
    ])
    func refused(body: String, field: String) async throws {
        try await TestGateway.run { test in
            let answer = await test.ask("POST", "/v1/lnurl/pay-links", body)
            #expect(answer.status == 422 && answer.field == field, "\(answer.body)")
        }
    }

    @Test("the same Idempotency-Key is the same link")
    func again() async throws {
        try await TestGateway.run { test in
            var ids: Set<String> = []
            for _ in 0..<2 {
                let answer = await test.ask("POST", "/v1/lnurl/pay-links", "{\(Self.tea)}", fields: ["Idempotency-Key": "a"])
                ids.insert(try #require(try answer.json["id"]?.text))
            }
            #expect(ids.count == 1)
            #expect(try await test.ask("GET", "/v1/lnurl/pay-links").json["pay_links"]?.items?.count == 1)
        }
    }

    @Test("a link that another process has made is found by the first who looks for it")
    func otherProcess() async throws {
        try await TestGateway.run { test in
            let id = "pl_" + String(repeating: "0", count: 32)
            var record = PayLinkRecord(id: id, account: 1, createdAt: UnixTime(seconds: 1))
            record.shown = "[]"
            record.name = "till"
            record.host = "pay.example"
            await withCheckedContinuation { done in test.ledger.insertPayLink(record, limit: 9) { _ in done.resume() } }
            let offer = try await test.ask("GET", "/lnurl/pay/\(id)", key: .some(nil)).json
            #expect(offer["tag"]?.text == "payRequest")
            let address = await HTTPExchange(port: test.port).ask("GET", "/.well-known/lnurlp/TILL")
            #expect(try address.json["status"]?.text == "ERROR", "the host of these requests has no addresses")
        }
    }

    @Test("a key that only reads makes no link")
    func scopes() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.invoicesRead])
            #expect(await test.ask("POST", "/v1/lnurl/pay-links", "{\(Self.tea)}", key: key).status == 403)
            #expect(await test.ask("GET", "/v1/lnurl/pay-links", key: key).status == 200)
            #expect(await test.ask("GET", "/v1/lnurl/pay-links", key: .some(nil)).status == 401)
        }
    }

    @Test("a link that is asked too often says so, and is there again")
    func rates() async throws {
        try await TestGateway.run(lnurl: LNURLSettings(perLink: 2, perClient: 0)) { test in
            let id = try #require(try await test.ask("POST", "/v1/lnurl/pay-links", "{\(Self.tea)}").json["id"]?.text)
            var reasons: [String?] = []
            for _ in 0..<4 { reasons.append(try await test.ask("GET", "/lnurl/pay/\(id)", key: .some(nil)).json["reason"]?.text) }
            #expect(reasons[0] == nil && reasons[3]?.hasPrefix("Too many") == true)
            try await Task.sleep(for: .milliseconds(1_100))
            let later = try await test.ask("GET", "/lnurl/pay/\(id)", key: .some(nil)).json
            #expect(later["tag"]?.text == "payRequest")
        }
    }
}

@Suite struct VisitorRatesTests {
    @Test("each has so much in a second, and nobody takes another's")
    func rates() {
        var rates = VisitorRates(perSecond: 2)
        let taken = (0..<3).map { _ in rates.admits("a", at: 1) }
        #expect(taken == [true, true, false])
        let (other, later) = (rates.admits("b", at: 1), rates.admits("a", at: 2_000_000_000))
        #expect(other && later)
        var free = VisitorRates(perSecond: 0)
        let all = (0..<100).map { _ in free.admits("a", at: 1) }
        #expect(!all.contains(false) && free.count == 0)
    }

    @Test("what is remembered is bounded")
    func bounded() {
        var rates = VisitorRates(perSecond: 1)
        for number in 0..<30_000 { _ = rates.admits("\(number)", at: 1) }
        #expect(rates.count <= 20_000)
        let new = rates.admits("new", at: 3_000_000_000)
        #expect(new && rates.count == 1)
    }
}
