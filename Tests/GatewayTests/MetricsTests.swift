import Edge
@testable import Gateway
import Loop
import Testing

@LoopActor
@Suite struct MetricsTests {
    private func text(_ metrics: Metrics, nodes: [(name: String, isConnected: Bool)] = [], head: Int64 = 0, edge: EdgeStatus = .init()) -> String {
        metrics.text(nodes: nodes, head: head, behind: 2, livePayments: 3, edge: edge)
    }

    private func lines(_ metrics: Metrics, nodes: [(name: String, isConnected: Bool)] = [], head: Int64 = 0, edge: EdgeStatus = .init()) -> [Substring] {
        text(metrics, nodes: nodes, head: head, edge: edge).split(separator: "\n", omittingEmptySubsequences: false)
    }

    private var busyEdge: EdgeStatus {
        var edge = EdgeStatus()
        edge.httpConnections = 5
        edge.eventStreams = 2
        edge.webSocketClients = 7
        edge.subscriptions = ["events": 3, "invoice": 4, "htlcs": 0, "nodes": 1]
        edge.queuedBytes = 1234
        edge.counters.closes = [3008: 2, 1009: 1]
        edge.counters.recovered = 6
        edge.counters.unrecoverable = 1
        return edge
    }

    @Test("everything can be read by the rules of the text format")
    func format() throws {
        let metrics = Metrics()
        metrics.decision.record(0.002)
        metrics.batch(entries: 3, nanoseconds: 1_000_000)
        metrics.count(htlc: .settled)
        metrics.term = 2
        let families = try PrometheusText.read(text(metrics, nodes: [("a\"} 1\n\\", true), ("b", false)], head: 9, edge: busyEdge))
        #expect(families.allSatisfy { $0.name.hasPrefix("leyden_") })
        for family in families { #expect((family.type == "counter") == family.name.hasSuffix("_total"), "\(family.name)") }
        let names = Set(families.map(\.name))
        for name in [
            "htlcs_total", "decision_seconds", "settle_seconds", "commit_seconds", "commit_batch_seconds", "commit_batch_changes",
            "event_lag_seconds", "connections", "subscriptions", "queue_bytes", "closes_total", "recoveries_total", "node_connected", "leader", "term",
        ] { #expect(names.contains("leyden_" + name), "\(name)") }
        #expect(families.first { $0.name == "leyden_node_connected" }?.samples.map { $0.labels["node"] } == ["a\"} 1\n\\", "b"])
    }

    @Test("the reader of these tests refuses what breaks the rules", arguments: [
        "leyden_x 1\n", "# TYPE leyden_x gauge\nleyden_x 1\n", "# HELP leyden_x h\n# TYPE leyden_x gauge\nleyden_y 1\n",
        "# HELP leyden_x h\n# TYPE leyden_x gauge\nleyden_x 1\nleyden_x 2\n", "# HELP leyden_x h\n# TYPE leyden_x gauge\nleyden_x 1",
        "# HELP leyden_x h\n# TYPE leyden_x gauge\nleyden_x{a=\"b} 1\n", "# HELP leyden_x h\n# TYPE leyden_x gauge\nleyden_x one\n",
        "# HELP leyden_x h\n# TYPE leyden_x histogram\nleyden_x_bucket{le=\"1.0\"} 2\nleyden_x_bucket{le=\"+Inf\"} 1\nleyden_x_sum 1\nleyden_x_count 1\n",
        "# HELP leyden_x h\n# TYPE leyden_x histogram\nleyden_x_bucket{le=\"1.0\"} 1\nleyden_x_sum 1\nleyden_x_count 1\n",
    ])
    func reader(_ text: String) { #expect(throws: PrometheusText.Violation.self) { try PrometheusText.read(text) } }

    @Test("outcomes are counted apart, and are there from the beginning")
    func outcomes() {
        let metrics = Metrics()
        metrics.count(htlc: .held)
        metrics.count(htlc: .held)
        metrics.count(htlc: .settled)
        let lines = lines(metrics)
        #expect(lines.contains(#"leyden_htlcs_total{outcome="held"} 2"#))
        #expect(lines.contains(#"leyden_htlcs_total{outcome="settled"} 1"#))
        #expect(lines.contains(#"leyden_htlcs_total{outcome="failed"} 0"#))
    }

    @Test("whoever holds the lease is the leader")
    func leader() {
        let metrics = Metrics()
        #expect(lines(metrics).contains("leyden_leader 0"))
        metrics.term = 8
        #expect(lines(metrics).contains("leyden_leader 1"))
        #expect(lines(metrics).contains("leyden_term 8"))
    }

    @Test("counts and states are told as they are")
    func values() {
        let metrics = Metrics()
        metrics.events = 5
        metrics.requests = 6
        metrics.databaseIsConnected = true
        let lines = lines(metrics, nodes: [("one", true), ("two", false)], head: 77, edge: busyEdge)
        for line in [
            "leyden_events_total 5", "leyden_http_requests_total 6", "leyden_database_connected 1", "leyden_stream_head 77",
            "leyden_payments_live 3", #"leyden_connections{transport="websocket"} 7"#, #"leyden_connections{transport="sse"} 2"#,
            #"leyden_subscriptions{channel="invoice"} 4"#, #"leyden_subscriptions{channel="htlcs"} 0"#, "leyden_queue_bytes 1234",
            #"leyden_closes_total{code="3008"} 2"#, #"leyden_recoveries_total{result="recovered"} 6"#,
            #"leyden_node_connected{node="one"} 1"#, #"leyden_node_connected{node="two"} 0"#,
        ] { #expect(lines.contains(Substring(line)), "\(line)") }
    }

    @Test("a batch is counted by its duration and by its size")
    func batches() {
        let metrics = Metrics()
        metrics.batch(entries: 5, nanoseconds: 2_000_000)
        let lines = lines(metrics)
        #expect(lines.contains(#"leyden_commit_batch_changes_bucket{le="4.0"} 0"#))
        #expect(lines.contains(#"leyden_commit_batch_changes_bucket{le="8.0"} 1"#))
        #expect(lines.contains(#"leyden_commit_batch_seconds_bucket{le="0.0025"} 1"#))
    }
}
