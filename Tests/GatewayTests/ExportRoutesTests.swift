@testable import Gateway
import Loop
import TestSupport
import Testing
import Wire

@LoopActor
@Suite(.serialized) struct ExportRoutesTests {
    /// Payments as the store has them when they have ended, `count` of them, a second after each other.
    private func settle(_ count: Int, in test: TestGateway, account: Int = 1) {
        TestServer.sql(
            """
            WITH paid AS (INSERT INTO invoices (payment_hash, account, state, payment_request, amount_msat, received_msat, settlement, is_stored,
                description, order_id, created_at, expires_at, set_id, settled_at, booked_at)
                SELECT sha256(int8send(n + \(account) * 1000)), \(account), 'settled', '', 1000, 1000 + n, 0, true, '=' || n, 'o' || n, to_timestamp(n),
                    to_timestamp(n), sha256(int8send(n)), to_timestamp(n), to_timestamp(n) FROM generate_series(1, \(count)) n RETURNING *)
            INSERT INTO htlcs (payment_hash, node, chan_id, htlc_id, set_id, amount_msat, fee_msat, total_msat, incoming_expiry, outgoing_expiry,
                auto_fail_height, is_on_chain, is_settled, accepted_at)
            SELECT payment_hash, '', 1, 1, set_id, received_msat, received_msat % 2, 1000, 1, 1, 1, false, true, settled_at FROM paid
            """, in: test.database)
    }

    @Test("pages have each payment once, with its fee if there was one, and add up")
    func pages() async throws {
        try await TestGateway.run { test in
            settle(5, in: test)
            settle(3, in: test, account: 7)
            var lines: [JSONValue] = []
            var sum: Int64 = 0
            var next = ""
            repeat {
                let page = try await test.ask("GET", "/v1/export?limit=2" + next).json
                lines += page["lines"]?.items ?? []
                sum += try #require(page["totals"]?["payments_msat"]?.integer) + (try #require(page["totals"]?["fees_msat"]?.integer))
                next = page["next"]?.text.map { "&after=" + $0 } ?? ""
            } while next != ""
            #expect(lines.map { $0["type"]?.text } == ["payment", "fee", "payment", "payment", "fee", "payment", "payment", "fee"])
            #expect(lines.compactMap { $0["amount_msat"]?.integer }.reduce(0, +) == 5015 + 3 && sum == 5018)
            let some = try await test.ask("GET", "/v1/export?from=1970-01-01T00:00:02Z&until=1970-01-01T00:00:04Z").json
            #expect(some["lines"]?.items?.map { $0["order_id"]?.text } == ["o2", "o3", "o3"])
        }
    }

    @Test("as CSV it is a table with a head, disarmed, and the way on stands in a header")
    func csv() async throws {
        try await TestGateway.run { test in
            settle(3, in: test)
            var answer = await test.ask("GET", "/v1/export?format=csv&limit=2")
            #expect(answer.status == 200 && answer.fields["content-type"] == "text/csv; charset=utf-8; header=present")
            var rows = answer.body.split(separator: "\r\n")
            #expect(rows.count == 4 && rows[0].hasPrefix("type,time,") && rows[1].contains(",'=1,settled,1000,1001"))
            let link = try #require(answer.fields["link"])
            answer = await test.ask("GET", String(link.dropFirst().prefix { $0 != ">" }))
            rows = answer.body.split(separator: "\r\n")
            #expect(rows.count == 3 && rows[1].contains("'=3") && answer.fields["link"] == nil)
        }
    }

    @Test("another account's books are empty, and a key without invoices:read sees none")
    func rights() async throws {
        try await TestGateway.run { test in
            settle(3, in: test)
            TestServer.sql("INSERT INTO accounts (id, name) VALUES (7, 'other')", in: test.database)
            let other = await test.makeKey([.invoicesRead], account: 7)
            let books = try await test.ask("GET", "/v1/export", key: other).json
            #expect(books["lines"]?.items?.isEmpty == true)
            let writer = await test.makeKey([.invoicesWrite])
            #expect(await test.ask("GET", "/v1/export", key: writer).status == 403)
        }
    }

    @Test("parameters are named that are not known or have no valid value", arguments: [
        "format=xml", "from=1", "until=x", "limit=0", "limit=1001", "after=9", "account=2",
    ])
    func badParameters(query: String) async throws {
        try await TestGateway.run { test in
            let answer = await test.ask("GET", "/v1/export?" + query)
            #expect(answer.status == 400 && answer.field == String(query.prefix { $0 != "=" }))
        }
    }
}
