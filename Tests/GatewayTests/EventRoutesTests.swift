import Edge
@testable import Gateway
import Loop
import Payments
import TestSupport
import Testing
import Wire

@LoopActor
@Suite(.serialized) struct EventRoutesTests {
    private func offsets(_ answer: HTTPAnswer) throws -> [Int64] {
        try answer.json["events"]?.items?.compactMap { $0["offset"]?.integer } ?? []
    }

    private func next(_ answer: HTTPAnswer) throws -> Int64? { try answer.json["next"]?.integer }

    @Test("a page ends with a cursor while it is full; one that is polled always has a cursor")
    func pages() async throws {
        try await TestGateway.run { test in
            for _ in 0..<3 { _ = try await test.create() }
            let full = await test.ask("GET", "/v1/events?limit=2")
            #expect(try offsets(full) == [1, 2] && next(full) == 2)
            let last = await test.ask("GET", "/v1/events?limit=2&after=2")
            #expect(try offsets(last) == [3] && next(last) == nil)
            let polled = await test.ask("GET", "/v1/events?limit=2&after=2&wait=60")
            #expect(try offsets(polled) == [3] && next(polled) == 3)
            let empty = await test.ask("GET", "/v1/events?after=3&wait=0")
            #expect(try offsets(empty) == [] && next(empty) == 3)
        }
    }

    @Test("every answer names the epoch, and who knows another one is told so", arguments: ["application/json", "text/event-stream"])
    func epoch(accept: String) async throws {
        try await TestGateway.run { test in
            _ = try await test.create()
            let epoch = try #require(test.gateway.epoch)
            for query in ["", "&epoch=", "&epoch=\(epoch)"] {
                let reader = test.begin("/v1/events?after=0" + query, fields: ["Accept": accept])
                #expect(await eventually { reader.text.contains("invoice.created") })
                #expect(reader.text.lowercased().contains("leyden-epoch: \(epoch)\r\n"))
                #expect(reader.text.contains("\r\n\r\n: epoch \(epoch)\n") || accept == "application/json")
                reader.close()
            }
            for query in ["?epoch=another", "?after=1&epoch=another", "?after=1&wait=60&epoch=another"] {
                let answer = await test.ask("GET", "/v1/events" + query, fields: ["Accept": accept])
                #expect(answer.status == 410 && answer.problem == "epoch_changed" && answer.field == "epoch")
            }
        }
    }

    @Test("a long poll is answered when something happens, and only with what its filter admits")
    func waits() async throws {
        try await TestGateway.run { test in
            let first = test.begin("/v1/events?after=0&wait=60&type=invoice.created")
            let other = test.begin("/v1/events?after=0&wait=60&type=invoice.canceled")
            #expect(await eventually { test.api.streams.count == 2 })
            let invoice = try await test.create()
            let answer = await first.answer()
            #expect(answer.status == 200)
            #expect(try offsets(answer) == [1] && next(answer) == 1)
            #expect(!other.isClosed && test.api.streams.count == 1)
            _ = await test.ask("POST", "/v1/invoices/\(invoice["payment_hash"]?.text ?? "")/cancel", "{}")
            #expect(try offsets(await other.answer()) == [2])
            #expect(test.api.streams.count == 0)
        }
    }

    @Test("a long poll in vain ends with an empty page and the cursor it came with")
    func waitsInVain() async throws {
        try await TestGateway.run { test in
            _ = try await test.create()
            let answer = await test.ask("GET", "/v1/events?after=1&wait=1")
            #expect(answer.status == 200)
            #expect(try offsets(answer) == [] && next(answer) == 1)
            #expect(test.api.streams.count == 0)
        }
    }

    @Test("a client that closes while its long poll waits frees its place at once")
    func closes() async throws {
        try await TestGateway.run { test in
            let polls = ["/v1/events?wait=60", "/v1/events?wait=60"].map { test.begin($0) }
            #expect(await eventually { test.api.streams.count == 2 })
            polls[0].close()
            #expect(await eventually { test.api.streams.count == 1 })
            #expect(!polls[1].isClosed)
        }
    }

    @Test("a position beyond the head is refused by the name it came under, on pages, polls and streams", arguments: ["", "&wait=60"])
    func beyondHead(more: String) async throws {
        try await TestGateway.run { test in
            _ = try await test.create()
            for fields in [[:], ["Accept": "text/event-stream"]] {
                let answer = await test.ask("GET", "/v1/events?after=2\(more)", fields: fields)
                #expect(answer.status == 400 && answer.problem == "beyond_head" && answer.field == "after")
                let header = await test.ask("GET", "/v1/events?after=0\(more)", fields: fields.merging(["Last-Event-ID": "99"]) { $1 })
                #expect(header.status == 400 && header.field == "Last-Event-ID")
            }
            #expect(await test.ask("GET", "/v1/events?after=1").status == 200)
        }
    }

    @Test("parameters that have no valid value are named", arguments: [
        ("after=-1", "after"), ("after=x", "after"), ("after=99999999999999999999", "after"), ("limit=0", "limit"), ("limit=1001", "limit"),
        ("wait=-1", "wait"), ("wait=61", "wait"), ("wait=1.5", "wait"), ("type=invoice.nothing", "type"), ("type=nothing.*", "type"),
    ])
    func badParameters(query: String, field: String) async throws {
        try await TestGateway.run { test in
            let answer = await test.ask("GET", "/v1/events?\(query)")
            #expect(answer.status == 400 && answer.field == field)
        }
    }

    @Test("a stream begins behind the last id, tells with retry when to come back, and is not buffered on the way")
    func stream() async throws {
        try await TestGateway.run { test in
            for _ in 0..<3 { _ = try await test.create() }
            let reader = test.begin("/v1/events?after=0", fields: ["Accept": "text/event-stream", "Last-Event-ID": "1", "X-Request-Id": "r"])
            #expect(await eventually { reader.text.contains("id: 3\n") })
            for line in ["content-type: text/event-stream\r\n", "x-accel-buffering: no\r\n", "cache-control: no-store\r\n", "x-request-id: r\r\n"] {
                #expect(reader.text.ranges(of: line).count == 1, "\(line)")
            }
            #expect(reader.text.contains("\nretry: 1000\n\nid: 2\n"))
            #expect(!reader.text.contains("id: 1\n"))
            _ = try await test.create()
            #expect(await eventually { reader.text.contains("id: 4\nevent: invoice.created\ndata: {") })
            reader.close()
            #expect(await eventually { test.api.streams.count == 0 })
        }
    }

    @Test("a key and a watch token may have only so many open, and all together too")
    func limits() async throws {
        try await TestGateway.run(limits: StreamLimits(total: 4, perKey: 2, perWatchToken: 1)) { test in
            let invoice = try await test.create()
            let hash = try #require(invoice["payment_hash"]?.text), token = try #require(invoice["watch_token"]?.text)
            let stream = ["Accept": "text/event-stream"]
            let poll = test.begin("/v1/events?after=1&wait=60"), wait = test.begin("/v1/invoices/\(hash)/wait?timeout=60")
            #expect(await eventually { test.api.streams.count == 2 })
            for (path, fields) in [("/v1/events?after=1&wait=60", [:]), ("/v1/events", stream), ("/v1/invoices/\(hash)/wait", [:])] {
                let refused = await test.ask("GET", path, fields: fields)
                #expect(refused.status == 429 && refused.problem == "too_many_streams" && refused.fields["retry-after"] != nil)
            }
            // What need not wait is answered.
            #expect(await test.ask("GET", "/v1/events?wait=60").status == 200)
            let watched = test.begin("/v1/watch/\(token)", key: .some(nil), fields: stream)
            #expect(await eventually { watched.text.contains("id: 1\n") })
            #expect(await test.ask("GET", "/v1/watch/\(token)", key: .some(nil), fields: stream).status == 429)
            let second = await test.makeKey([.eventsRead])
            let last = test.begin("/v1/events", key: second, fields: stream)
            #expect(await eventually { last.text.contains("id: 1\n") })
            #expect(await test.ask("GET", "/v1/events", key: second, fields: stream).status == 503)
            poll.close()
            #expect(await eventually { test.api.streams.count == 3 })
            let again = test.begin("/v1/events", fields: stream)
            #expect(await eventually { again.text.contains("id: 1\n") })
            #expect(!wait.isClosed)
        }
    }

    @Test("an account sees its own events only, on pages, polls and streams")
    func accounts() async throws {
        try await TestGateway.run { test in
            TestServer.sql("INSERT INTO accounts (id, name) VALUES (7, 'other')", in: test.database)
            let other = await test.makeKey([.eventsRead, .invoicesWrite], account: 7)
            _ = try await test.create()
            let poll = test.begin("/v1/events?wait=60", key: other)
            let stream = test.begin("/v1/events", key: other, fields: ["Accept": "text/event-stream"])
            #expect(await eventually { test.api.streams.count == 2 })
            _ = try await test.create()
            _ = try await test.create(key: other)
            #expect(try offsets(await poll.answer()) == [3])
            #expect(await eventually { stream.text.contains("id: 3\n") })
            #expect(!stream.text.contains("id: 2\n") && !stream.text.contains("id: 1\n"))
            #expect(try offsets(await test.ask("GET", "/v1/events", key: other)) == [3])
        }
    }
}
