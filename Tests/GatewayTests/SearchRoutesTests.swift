@testable import Gateway
import Loop
import TestSupport
import Testing
import Wire

@LoopActor
@Suite(.serialized) struct SearchRoutesTests {
    private func orders(_ answer: HTTPAnswer) -> [String?]? { (try? answer.json)?["invoices"]?.items?.map { $0["order_id"]?.text } }

    @Test("an order id is shown in the invoice and finds it, and so does the metadata")
    func finds() async throws {
        try await TestGateway.run { test in
            for number in 1...4 {
                let made = try await test.create(#"{"order_id":"A \#(number)","metadata":{"shop":"north","seat":\#(number % 2),"deep":{"x":1}}}"#)
                #expect(made["order_id"]?.text == "A \(number)")
            }
            #expect(orders(await test.ask("GET", "/v1/invoices?order_id=A%203")) == ["A 3"])
            #expect(orders(await test.ask("GET", "/v1/invoices?metadata.shop=north&metadata.seat=1")) == ["A 3", "A 1"])
            #expect(orders(await test.ask("GET", "/v1/invoices?metadata.shop=north&order_id=A+2&state=open")) == ["A 2"])
            for nothing in ["order_id=a%203", "metadata.shop=south", "metadata.x=1", "order_id=A%203&state=canceled", "created_before=2020-01-01T00:00:00Z"] {
                #expect(orders(await test.ask("GET", "/v1/invoices?" + nothing)) == [], "\(nothing)")
            }
            #expect(orders(await test.ask("GET", "/v1/invoices?created_after=2020-01-01T00:00:00Z&limit=500"))?.count == 4)
            TestServer.sql("INSERT INTO accounts (id, name) VALUES (7, 'other')", in: test.database)
            let other = await test.makeKey([.admin], account: 7)
            #expect(orders(await test.ask("GET", "/v1/invoices?order_id=A%203", key: other)) == [])
        }
    }

    @Test("a parameter that nobody knows, one that stands twice and one without a valid value are named", arguments: [
        ("colour=red", "colour", "unknown_parameter"), ("state=open&state=settled", "state", "unknown_parameter"), ("metadata.=1", "metadata.", "unknown_parameter"),
        ("limit=0", "limit", "invalid_parameter"), ("limit=501", "limit", "invalid_parameter"), ("after=x", "after", "invalid_parameter"),
        ("after=-1.1", "after", "invalid_parameter"), ("created_after=yesterday", "created_after", "invalid_parameter"),
        ("created_before=2026-02-30T00:00:00Z", "created_before", "invalid_parameter"),
        ((1...9).map { "metadata.a\($0)=1" }.joined(separator: "&"), "metadata.a9", "invalid_parameter"),
    ])
    func badParameters(query: String, field: String, code: String) async throws {
        try await TestGateway.run { test in
            let answer = await test.ask("GET", "/v1/invoices?" + query)
            #expect(answer.status == 400 && answer.problem == code && answer.field == field)
        }
    }

    @Test("an order id is a text of 1 to 128 bytes, and a stateless invoice has none", arguments: [
        #"{"order_id":""}"#, #"{"order_id":7}"#, #"{"order_id":"\#(String(repeating: "é", count: 65))"}"#, #"{"order_id":"a\u0000"}"#,
        #"{"order_id":"a","stateless":true}"#,
    ])
    func badOrders(body: String) async throws {
        try await TestGateway.run { test in
            let answer = await test.ask("POST", "/v1/invoices", body)
            #expect(answer.status == 422 && answer.field == "order_id")
        }
    }

    @Test("metadata with quotes, NUL, markup and long members is kept as it is")
    func metadata() async throws {
        try await TestGateway.run { test in
            let odd = #"{"a":"\"';--<b>\u0000","b":1e300,"c":"\#(String(repeating: "x", count: 300))","\"=1+1":"é"}"#
            let made = try await test.create(#"{"metadata":\#(odd)}"#)
            let shown = try await test.ask("GET", "/v1/invoices/" + (try #require(made["payment_hash"]?.text))).json["metadata"]
            #expect(shown?["a"]?.text == "\"';--<b>\0" && shown?["b"]?.number == 1e300 && shown?["c"]?.text?.count == 300 && shown?["\"=1+1"]?.text == "é")
            #expect(await test.ask("POST", "/v1/invoices", #"{"metadata":{"a":1e999}}"#).status == 400)
        }
    }
}
