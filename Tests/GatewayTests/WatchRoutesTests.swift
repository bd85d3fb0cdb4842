@testable import Gateway
import Loop
import Payments
import Testing
import Wire

@LoopActor
@Suite(.serialized) struct WatchRoutesTests {
    @Test("whoever has the watch token sees the invoice without a key, and its QR code")
    func shows() async throws {
        try await TestGateway.run { test in
            let invoice = try await test.create()
            let token = try #require(invoice["watch_token"]?.text)
            let answer = await test.ask("GET", "/v1/watch/\(token)", key: .some(nil))
            #expect(answer.status == 200)
            #expect(try answer.json["payment_request"]?.text == invoice["payment_request"]?.text)
            let code = await test.ask("GET", "/v1/watch/\(token)/qr.svg", key: .some(nil))
            #expect(code.status == 200 && code.fields["content-type"] == "image/svg+xml" && code.body.hasPrefix("<svg"))
        }
    }

    @Test("a token that is none, and one of an invoice that is not stored, are unknown", arguments: ["", "/qr.svg"])
    func unknown(rest: String) async throws {
        try await TestGateway.run { test in
            let stateless = try await test.create(#"{"amount_msat":1,"stateless":true}"#)
            for token in ["x", String(repeating: "A", count: 4000), try #require(stateless["watch_token"]?.text)] {
                let answer = await test.ask("GET", "/v1/watch/\(token)\(rest)", key: .some(nil))
                #expect(answer.status == 404 && answer.problem == "unknown_invoice")
            }
        }
    }

    @Test("its stream tells of this invoice only, and begins anew behind a position of another stream")
    func streams() async throws {
        try await TestGateway.run { test in
            let invoice = try await test.create(), other = try await test.create()
            let token = try #require(invoice["watch_token"]?.text)
            let hashes = try [invoice, other].map { try #require($0["payment_hash"]?.text) }
            for position in [[:], ["Last-Event-ID": "99"]] {
                let reader = test.begin("/v1/watch/\(token)", key: .some(nil), fields: position.merging(["Accept": "text/event-stream"]) { $1 })
                #expect(await eventually { reader.text.contains("id: 1\n") })
                #expect(!reader.text.contains(hashes[1]))
                reader.close()
            }
            let reader = test.begin("/v1/watch/\(token)?after=1", key: .some(nil), fields: ["Accept": "text/event-stream"])
            #expect(await eventually { test.api.streams.count > 0 && reader.text.contains("retry:") })
            for hash in hashes { _ = await test.ask("POST", "/v1/invoices/\(hash)/cancel", "{}") }
            #expect(await eventually { reader.text.contains("event: invoice.canceled\n") })
            #expect(!reader.text.contains(hashes[1]) && !reader.text.contains("id: 1\n"))
        }
    }

    @Test("whoever waits is answered when the state is another than the one it knows, or when the time is over")
    func waits() async throws {
        try await TestGateway.run { test in
            let invoice = try await test.create()
            let path = try "/v1/watch/\(#require(invoice["watch_token"]?.text))?wait="
            let hash = try #require(invoice["payment_hash"]?.text)
            // It is not what this one believes.
            let early = try await test.ask("GET", path + "60&state=accepted", key: .some(nil)).json
            #expect(early["state"]?.text == "open")
            let late = try await test.ask("GET", path + "1&state=open", key: .some(nil)).json
            #expect(late["state"]?.text == "open")
            let waiting = ["60", "60&state=open"].map { test.begin(path + $0, key: .some(nil)) }
            #expect(await eventually { test.api.streams.count == 2 })
            _ = try await test.create()
            await aWhile()
            #expect(waiting.allSatisfy { !$0.isClosed })
            _ = await test.ask("POST", "/v1/invoices/\(hash)/cancel", "{}")
            for each in waiting { #expect(try await each.answer().json["state"]?.text == "canceled") }
            // Nothing will change any more.
            #expect(try await test.ask("GET", path + "60", key: .some(nil)).json["state"]?.text == "canceled")
            #expect(test.api.streams.count == 0)
        }
    }

    @Test("as many wait for one invoice as may, and what is no state and no time is refused")
    func waitsAreBounded() async throws {
        try await TestGateway.run(limits: .init(perWatchToken: 2)) { test in
            let path = try "/v1/watch/\(#require(try await test.create()["watch_token"]?.text))"
            let waiting = (0..<2).map { _ in test.begin(path + "?wait=60", key: .some(nil)) }
            #expect(await eventually { test.api.streams.count == 2 })
            #expect(await test.ask("GET", path + "?wait=60", key: .some(nil)).status == 429)
            #expect(await test.ask("GET", path, key: .some(nil)).status == 200)
            for query in ["wait=61", "wait=-1", "wait=x", "wait=1&state=burnt"] {
                #expect(await test.ask("GET", path + "?" + query, key: .some(nil)).status == 400, "\(query)")
            }
            for each in waiting { each.close() }
            #expect(await eventually { test.api.streams.count == 0 })
        }
    }

    @Test("its stream begins anew for whoever knows another epoch")
    func otherEpoch() async throws {
        try await TestGateway.run { test in
            let token = try #require(try await test.create()["watch_token"]?.text)
            let epoch = try #require(test.gateway.epoch)
            for (known, isTold) in [("another", true), (epoch, false)] {
                let reader = test.begin("/v1/watch/\(token)?after=1&epoch=\(known)", key: .some(nil), fields: ["Accept": "text/event-stream"])
                #expect(await eventually { reader.text.contains("retry:") })
                await aWhile()
                #expect(reader.text.contains("id: 1\n") == isTold)
                #expect(reader.text.lowercased().contains("leyden-epoch: \(epoch)"))
                reader.close()
            }
        }
    }

    @Test("a watch token is no key")
    func isNoKey() async throws {
        try await TestGateway.run { test in
            let token = try #require(try await test.create()["watch_token"]?.text)
            for path in ["/v1/invoices", "/v1/events", "/v1/info"] { #expect(await test.ask("GET", path, key: token).status == 403) }
        }
    }
}
