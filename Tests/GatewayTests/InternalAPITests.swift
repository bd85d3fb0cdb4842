@testable import Gateway
import Keys
@testable import LND
import Loop
import Payments
import TestSupport
import Testing
import Wire

@LoopActor
@Suite(.serialized) struct InternalAPITests {
    private func ask(_ test: TestGateway, _ path: String, by method: String = "GET") async -> HTTPAnswer {
        await HTTPExchange(port: test.internalPort).ask(method, path)
    }

    @Test("metrics keep to the text format and tell what the edge does")
    func metrics() async throws {
        try await TestGateway.run { test in
            _ = try await test.create()
            let stream = test.begin("/v1/events", fields: ["Accept": "text/event-stream"])
            #expect(await eventually { stream.text.contains("id: 1\n") })
            let answer = await ask(test, "/metrics")
            #expect(answer.status == 200 && answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let samples = try PrometheusText.read(answer.body).flatMap(\.samples)
            func value(_ name: String, _ labels: [String: String] = [:]) -> Double? { samples.first { $0.name == name && $0.labels == labels }?.value }
            #expect(value("leyden_connections", ["transport": "sse"]) == 1 && value("leyden_connections", ["transport": "http"]) == 1)
            #expect(value("leyden_commit_batch_changes_count") == 1 && value("leyden_event_lag_seconds_count") == 1)
            #expect(value("leyden_stream_head") == 1 && value("leyden_leader") == 1)
            #expect(!answer.body.contains(test.key) && !answer.body.contains(String(test.key.suffix(64))))
        }
    }

    @Test("ready needs a node, health needs nothing, and who resigns is ready for nobody")
    func ready() async throws {
        try await TestGateway.run { test in
            #expect(await ask(test, "/health").status == 200)
            #expect(await ask(test, "/ready").status == 200)
            test.gateway.nodes[0].state = .waiting("it is away")
            let answer = await ask(test, "/ready")
            #expect(answer.status == 503)
            let json = try answer.json
            #expect(json["status"]?.text == "not_ready" && json["database"]?.text == "connected" && json["leader"]?.text == "this")
            #expect(json["nodes"]?.items?.count == 1 && json["nodes"]?.items?.first?["name"]?.text == "alice")
            // Another process leads, so that this one would be a standby.
            await withCheckedContinuation { done in test.gateway.resign { done.resume() } }
            TestServer.sql("UPDATE stream SET leader = 'other', lease_until = now() + interval '1 hour'", in: test.database)
            let resigned = await ask(test, "/ready")
            #expect(resigned.status == 503)
            #expect(try resigned.json["leader"]?.text == "other")
        }
    }

    @Test("other paths are unknown, other methods refused, and nothing of it is on the public address")
    func paths() async throws {
        try await TestGateway.run { test in
            #expect(await ask(test, "/v1/info").status == 404)
            #expect(await ask(test, "/metrics", by: "POST").status == 405)
            for path in ["/metrics", "/health", "/ready"] { #expect(await test.ask("GET", path).status == 404) }
        }
    }

    @Test("nodes and info are told, a node that is none is 404")
    func nodes() async throws {
        try await TestGateway.run { test in
            #expect(try await test.ask("GET", "/v1/nodes").json["nodes"]?.items?.compactMap { $0["name"]?.text } == ["alice"])
            for what in ["drain", "resume"] { #expect(await test.ask("POST", "/v1/nodes/02\(String(repeating: "0", count: 64))/\(what)", "{}").status == 404) }
            let info = try await test.ask("GET", "/v1/info").json
            #expect(info["leader"]?.text == "test" && info["network"]?.text == "regtest" && info["head"]?.integer == 0)
            #expect(info["pubkey"]?.text == PaidInvoice.identity.publicKey.hex && info["epoch"]?.text == test.gateway.epoch)
        }
    }
}
