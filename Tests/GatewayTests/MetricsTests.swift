@testable import Gateway
import Loop
import Testing

@LoopActor
@Suite struct MetricsTests {
    private func lines(_ metrics: Metrics, nodes: [(name: String, isConnected: Bool)] = [], head: Int64 = 0) -> [Substring] {
        metrics.text(nodes: nodes, head: head, livePayments: 3, clients: 4).split(separator: "\n", omittingEmptySubsequences: false)
    }

    @Test("each family is declared once, before its samples")
    func families() {
        var declared: Set<Substring> = []
        for line in lines(Metrics(), nodes: [("a", true)]).dropLast() {
            if line.hasPrefix("# TYPE ") {
                #expect(declared.insert(line.split(separator: " ")[2]).inserted)
            } else if !line.hasPrefix("#") {
                let name = line.prefix { $0 != "{" && $0 != " " }
                #expect(declared.contains(name) || declared.contains { name.hasPrefix($0 + "_") }, "\(line)")
            }
        }
        #expect(lines(Metrics()).last == "")
    }

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
        let lines = lines(metrics, nodes: [("one", true), ("two", false)], head: 77)
        for line in [
            "leyden_events_total 5", "leyden_http_requests_total 6", "leyden_database_connected 1", "leyden_stream_head 77",
            "leyden_payments_live 3", "leyden_connections 4", #"leyden_node_connected{node="one"} 1"#, #"leyden_node_connected{node="two"} 0"#,
        ] { #expect(lines.contains(Substring(line)), "\(line)") }
    }

    @Test("a node's name cannot end its label")
    func escaping() {
        let lines = lines(Metrics(), nodes: [("a\"} 1\n\\", true)])
        #expect(lines.contains(#"leyden_node_connected{node="a\"} 1\n\\"} 1"#))
    }
}
