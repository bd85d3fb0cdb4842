@testable import Gateway
import Keys
import Ledger
import Loop
import Payments
import TestSupport
import Testing
import Wire

@LoopActor
@Suite(.serialized) struct KeyRoutesTests {
    private func id(_ key: String) -> String { String(key.dropFirst(4).prefix(16)) }

    /// An answer's text field.
    private func text(_ answer: HTTPAnswer, _ field: String) -> String? { (try? answer.json)?[field]?.text }

    private func ids(_ answer: HTTPAnswer, _ list: String = "keys") -> [String] {
        (try? answer.json)?[list]?.items?.compactMap { $0["id"]?.text } ?? []
    }

    @Test("a key is made with what was asked, told once, and good for just that")
    func made() async throws {
        try await TestGateway.run { test in
            let body = #"{"name":"Shop","scopes":["invoices:read"],"expires_in_seconds":3600,"limits":{"requests_per_second":100,"open_invoices":7}}"#
            let made = await test.ask("POST", "/v1/keys", body)
            #expect(made.status == 201)
            let key = try #require(text(made, "key"))
            let document = try made.json
            #expect(document["limits"]?["open_invoices"]?.whole == 7 && document["account"]?.whole == 1)
            #expect(await test.ask("GET", "/v1/invoices", key: key).status == 200)
            #expect(await test.ask("POST", "/v1/invoices", "{}", key: key).status == 403)
            let listed = await test.ask("GET", "/v1/keys")
            #expect(ids(listed).contains(id(key)) && !listed.body.contains(key) && !listed.body.contains("hash"))
            let firstPage = try await test.ask("GET", "/v1/keys?limit=1").json["next"]?.text
            #expect(firstPage == ids(listed).first)
        }
    }

    @Test("what is no key is refused by the field that is wrong", arguments: [
        (#"{"scopes":[]}"#, "scopes"), (#"{"scopes":["root"]}"#, "scopes"), ("{}", "scopes"), (#"{"scopes":["admin"],"account":99}"#, "account"),
        (#"{"scopes":["admin"],"expires_at":"yesterday"}"#, "expires_at"), (#"{"scopes":["admin"],"expires_at":"2020-01-01T00:00:00Z"}"#, "expires_at"),
        (#"{"scopes":["admin"],"expires_at":"2030-01-01T00:00:00Z","expires_in_seconds":1}"#, "expires_in_seconds"),
        (#"{"scopes":["admin"],"limits":{"open_invoices":-1}}"#, "limits.open_invoices"), (#"{"scopes":["admin"],"limits":{"x":1}}"#, "limits.x"),
        (#"{"scopes":["admin"],"name":"a\u0007"}"#, "name"),
    ])
    func refused(body: String, field: String) async throws {
        try await TestGateway.run { test in
            let answer = await test.ask("POST", "/v1/keys", body)
            #expect(answer.status == 422 && answer.field == field)
        }
    }

    @Test("a revoked key ends at once here, for REST; an expired one is told from one that never was")
    func ended() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.invoicesRead]), short = await test.makeKey([.invoicesRead], expiresIn: 4_000)
            #expect(await test.ask("GET", "/v1/invoices", key: key).status == 200)
            #expect(await test.ask("GET", "/v1/invoices", key: short).status == 200)
            #expect(text(await test.ask("DELETE", "/v1/keys/\(id(key))"), "revoked_at") != nil)
            #expect(await test.ask("GET", "/v1/invoices", key: key).problem == "unauthorized")
            #expect(await test.ask("DELETE", "/v1/keys/\(id(key))").status == 200, "twice is once")
            #expect(await test.ask("DELETE", "/v1/keys/0000000000000000").status == 404)
            try await Task.sleep(for: .milliseconds(4_100))
            let answer = await test.ask("GET", "/v1/invoices", key: short)
            #expect(answer.status == 401 && answer.problem == "key_expired")
        }
    }

    @Test("after a rotation both secrets are good until the overlap ends, then the new one alone")
    func rotation() async throws {
        try await TestGateway.run { test in
            let old = await test.makeKey([.invoicesRead])
            let first = try #require(text(await test.ask("POST", "/v1/keys/\(id(old))/rotate", #"{"overlap_seconds":5}"#), "key"))
            #expect(first != old && id(first) == id(old))
            for key in [old, first] { #expect(await test.ask("GET", "/v1/invoices", key: key).status == 200) }
            try await Task.sleep(for: .milliseconds(5_100))
            #expect(await test.ask("GET", "/v1/invoices", key: old).problem == "key_expired")
            let second = try #require(text(await test.ask("POST", "/v1/keys/\(id(old))/rotate", "{}"), "key"))
            #expect(await test.ask("GET", "/v1/invoices", key: first).status == 401, "without an overlap it ends at once")
            #expect(await test.ask("GET", "/v1/invoices", key: second).status == 200)
            #expect(await test.ask("POST", "/v1/keys/0000000000000000/rotate", "{}").status == 404)
        }
    }

    @Test("an admin of another account rules that account and nothing else: not its keys, its log, the accounts or the nodes")
    func foreignAdmin() async throws {
        try await TestGateway.run { test in
            let account = await test.makeAccount()
            let admin = await test.makeKey([.admin], account: account), mine = await test.makeKey([.invoicesRead])
            #expect(await test.ask("POST", "/v1/accounts", #"{"name":"x"}"#, key: admin).status == 403)
            let seen = try await test.ask("GET", "/v1/accounts", key: admin).json["accounts"]?.items?.compactMap { $0["id"]?.integer }
            #expect(seen == [account])
            #expect(await test.ask("POST", "/v1/keys", #"{"scopes":["admin"],"account":1}"#, key: admin).status == 403)
            let own = await test.ask("POST", "/v1/keys", #"{"scopes":["admin"]}"#, key: admin)
            let made = try own.json["account"]?.integer
            #expect(made == account)
            #expect(ids(await test.ask("GET", "/v1/keys", key: admin)) == [id(admin), text(own, "id") ?? ""].sorted())
            #expect(await test.ask("GET", "/v1/keys?account=1", key: admin).status == 403)
            #expect(await test.ask("DELETE", "/v1/keys/\(id(mine))", key: admin).status == 404)
            #expect(await test.ask("POST", "/v1/keys/\(id(mine))/rotate", "{}", key: admin).status == 404)
            #expect(await test.ask("GET", "/v1/invoices", key: mine).status == 200, "it was neither revoked nor rotated")
            #expect(await test.ask("GET", "/v1/audit?account=1", key: admin).status == 403)
            let log = await test.ask("GET", "/v1/audit?limit=100", key: admin)
            let isOwn = try log.json["entries"]?.items?.allSatisfy { $0["account"]?.integer == account }
            #expect(isOwn == true)
            let node = PaidInvoice.identity.publicKey.hex
            for what in ["drain", "resume"] { #expect(await test.ask("POST", "/v1/nodes/\(node)/\(what)", "{}", key: admin).status == 403) }
            for path in ["/v1/nodes", "/v1/info"] {
                let nodes = await test.ask("GET", path, key: admin)
                #expect(nodes.status == 200 && nodes.body.contains(node) && !nodes.body.contains("127.0.0.1"), "where a node is, is the operator's to know")
            }
        }
    }

    @Test("a key that ends or is limited makes none that lasts longer or may do more")
    func bounded() async throws {
        try await TestGateway.run { test in
            let maker = await test.makeKey([.admin], expiresIn: 60_000, limits: KeyLimits(rate: 1000, openInvoices: 5))
            let heir = try await test.ask("POST", "/v1/keys", #"{"scopes":["invoices:read"]}"#, key: maker).json
            #expect(heir["expires_at"]?.text != nil && heir["limits"]?["open_invoices"]?.whole == 5 && heir["limits"]?["requests_per_second"]?.whole == 1000)
            for (body, field) in [
                (#"{"scopes":["admin"],"expires_in_seconds":61}"#, "expires_at"), (#"{"scopes":["admin"],"limits":{"open_invoices":6}}"#, "limits.open_invoices"),
                (#"{"scopes":["admin"],"limits":{"requests_per_second":0}}"#, "limits.requests_per_second"),
            ] { #expect(await test.ask("POST", "/v1/keys", body, key: maker).field == field) }
        }
    }

    @Test("a key that ends or is limited gives no other a new secret, which could last longer or do more; itself it may")
    func boundedRotation() async throws {
        try await TestGateway.run { test in
            let other = await test.makeKey([.admin])
            for maker in [
                await test.makeKey([.admin], expiresIn: 60_000), await test.makeKey([.admin], limits: KeyLimits(rate: 1000)),
                await test.makeKey([.admin], limits: KeyLimits(openInvoices: 5)),
            ] {
                #expect(await test.ask("POST", "/v1/keys/\(id(other))/rotate", "{}", key: maker).status == 403)
                #expect(await test.ask("GET", "/v1/invoices", key: other).status == 200)
                #expect(text(await test.ask("POST", "/v1/keys/\(id(maker))/rotate", "{}", key: maker), "key") != nil)
            }
        }
    }

    @Test("the gateway's standard limits bind what the admin of another account makes, and not what the operator makes")
    func standardBinds() async throws {
        try await TestGateway.run(keyLimits: KeyLimits(rate: 1000, openInvoices: 5)) { test in
            let account = await test.makeAccount()
            let admin = await test.makeKey([.admin], account: account)
            for (limits, field) in [
                (#"{"open_invoices":0}"#, "limits.open_invoices"), (#"{"open_invoices":6}"#, "limits.open_invoices"),
                (#"{"requests_per_second":0}"#, "limits.requests_per_second"),
            ] { #expect(await test.ask("POST", "/v1/keys", #"{"scopes":["admin"],"limits":\#(limits)}"#, key: admin).field == field) }
            #expect(await test.ask("POST", "/v1/keys", #"{"scopes":["admin"],"limits":{"open_invoices":4}}"#, key: admin).status == 201)
            #expect(await test.ask("POST", "/v1/keys", #"{"scopes":["admin"],"limits":{"open_invoices":0}}"#).status == 201)
        }
    }

    @Test("the last use of a key shows, to the minute, without anything being written for each request")
    func lastUse() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.invoicesRead])
            for _ in 0..<20 { _ = await test.ask("GET", "/v1/invoices", key: key) }
            #expect(await eventually { TestServer.sql("SELECT count(*) FROM api_keys WHERE id = '\(self.id(key))' AND last_used_at IS NOT NULL", in: test.database) == "1" })
            let written = TestServer.sql("SELECT xmin FROM api_keys WHERE id = '\(id(key))'", in: test.database)
            for _ in 0..<20 { _ = await test.ask("GET", "/v1/invoices", key: key) }
            try await Task.sleep(for: .milliseconds(2_500))
            #expect(TestServer.sql("SELECT xmin FROM api_keys WHERE id = '\(id(key))'", in: test.database) == written)
        }
    }

    // MARK: The audit log

    @Test("what a key changes or tries to change stands in the log when it is answered, without any secret")
    func audit() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.invoicesWrite])
            let invoice = try await test.create(key: key)
            _ = await test.ask("GET", "/v1/invoices", key: key)
            let hash = try #require(invoice["payment_hash"]?.text)
            _ = await test.ask("POST", "/v1/invoices/\(hash)/cancel", "{}", key: key, fields: ["X-Request-Id": "r-7"])
            let made = await test.ask("POST", "/v1/keys", #"{"scopes":["admin"]}"#)
            let log = await test.ask("GET", "/v1/audit?limit=10")
            let entries = try log.json["entries"]?.items ?? []
            #expect(entries.map { $0["path"]?.text } == ["/v1/keys", "/v1/invoices/\(hash)/cancel", "/v1/invoices"])
            #expect(entries.map { $0["status"]?.integer } == [201, 403, 201])
            #expect(entries.map { $0["key_id"]?.text }.suffix(2) == [id(key), id(key)])
            #expect(entries[0]["target"]?.text == text(made, "id") && entries[2]["target"]?.text == hash && entries[1]["request_id"]?.text == "r-7")
            let secret = try #require(text(made, "key"))
            #expect(!log.body.contains(secret.suffix(64)) && !log.body.contains(key))
            let page = try await test.ask("GET", "/v1/audit?limit=2").json
            let next = try #require(page["next"]?.text)
            let rest = try await test.ask("GET", "/v1/audit?limit=2&after=\(next)").json["entries"]?.items?.count
            #expect(rest == 1)
            #expect(await test.ask("GET", "/v1/audit", key: key).status == 403)
        }
    }

    @Test("a stateless invoice is written nowhere, the audit log included")
    func statelessAudit() async throws {
        try await TestGateway.run { test in
            #expect(await test.ask("POST", "/v1/invoices", #"{"stateless":true}"#).status == 201)
            #expect(TestServer.sql("SELECT count(*) FROM audit", in: test.database) == "0")
        }
    }
}
