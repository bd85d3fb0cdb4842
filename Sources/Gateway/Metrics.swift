internal import Loop

/// What the gateway counts, in Prometheus' text format. Never labelled by invoice, account or key.
@LoopActor
final class Metrics {
    enum HTLCOutcome: String, CaseIterable { case held, settled, failed }

    var decision = Histogram()
    var commit = Histogram()
    var events = 0
    var requests = 0
    var historyQueries = 0
    var term: Int64?
    var databaseIsConnected = false
    private var htlcs: [HTLCOutcome: UInt64] = [:]

    func count(htlc outcome: HTLCOutcome) { htlcs[outcome, default: 0] += 1 }

    /// `nodes` are names and whether each is connected; `head` is the stream's.
    func text(nodes: [(name: String, isConnected: Bool)], head: Int64, livePayments: Int, clients: Int) -> String {
        var text = "# HELP leyden_htlcs_total HTLCs by what was decided about them.\n# TYPE leyden_htlcs_total counter\n"
        for outcome in HTLCOutcome.allCases { text += "leyden_htlcs_total{outcome=\"\(outcome.rawValue)\"} \(htlcs[outcome] ?? 0)\n" }
        text += decision.lines("leyden_decision_seconds", help: "From an HTLC's arrival to its orders.")
        text += commit.lines("leyden_commit_seconds", help: "From a change's order to its durability.")
        text += counter("leyden_events_total", "Events published.", events)
        text += counter("leyden_history_queries_total", "Questions to the database about what clients have missed.", historyQueries)
        text += counter("leyden_http_requests_total", "HTTP requests handled.", requests)
        text += gauge("leyden_stream_head", "Offset of the last event published.", Int(head))
        text += gauge("leyden_payments_live", "Payments in memory.", livePayments)
        text += gauge("leyden_connections", "WebSocket clients.", clients)
        text += gauge("leyden_database_connected", "Whether the database answers.", databaseIsConnected ? 1 : 0)
        text += gauge("leyden_leader", "Whether this process holds the lease.", term == nil ? 0 : 1)
        text += gauge("leyden_term", "The term of the lease, while it is held.", Int(term ?? 0))
        text += "# HELP leyden_node_connected Whether the node's HTLCs are intercepted.\n# TYPE leyden_node_connected gauge\n"
        for node in nodes { text += "leyden_node_connected{node=\"\(escaped(node.name))\"} \(node.isConnected ? 1 : 0)\n" }
        return text
    }

    private func counter(_ name: String, _ help: String, _ value: Int) -> String {
        "# HELP \(name) \(help)\n# TYPE \(name) counter\n\(name) \(value)\n"
    }

    private func gauge(_ name: String, _ help: String, _ value: Int) -> String {
        "# HELP \(name) \(help)\n# TYPE \(name) gauge\n\(name) \(value)\n"
    }

    /// A label's value may not end itself.
    private func escaped(_ name: String) -> String {
        String(name.flatMap { character -> [Character] in
            switch character {
            case "\\": ["\\", "\\"]
            case "\"": ["\\", "\""]
            case "\n": ["\\", "n"]
            default: [character]
            }
        })
    }
}
