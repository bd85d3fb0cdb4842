internal import Edge
internal import Loop
internal import Payments

/// What the gateway counts, for Prometheus. Never labelled by invoice, account or key.
@LoopActor
final class Metrics {
    enum HTLCOutcome: String, CaseIterable { case held, settled, failed }

    var decision = Histogram()
    var settle = Histogram(Histogram.waits)
    var commit = Histogram()
    var batchDuration = Histogram()
    var batchSize = Histogram(Histogram.sizes)
    var eventLag = Histogram()
    /// How deliveries of webhooks ended.
    var webhooks: [WebhookOutcome: UInt64] = [:]
    /// How payouts went on.
    var payouts: [PayoutState: UInt64] = [:]
    var events = 0
    var requests = 0
    var lnurlRequests = 0
    var lnurlInvoices = 0
    var lnurlRefusals = 0
    /// By method of `lnmux.Service`, where that is served.
    var grpcCalls: [String: Int] = [:]
    var acceptedSubscribers = 0
    var historyQueries = 0
    var term: Int64?
    var databaseIsConnected = false
    private var htlcs: [HTLCOutcome: UInt64] = [:]

    func count(htlc outcome: HTLCOutcome) { htlcs[outcome, default: 0] += 1 }

    func batch(entries: Int, nanoseconds: UInt64) {
        batchDuration.record(nanoseconds: nanoseconds)
        batchSize.record(Double(entries))
    }

    /// `nodes` are names and whether each is connected; `head` is the stream's.
    func text(nodes: [(name: String, isConnected: Bool)], head: Int64, behind: Int64, livePayments: Int, edge: EdgeStatus) -> String {
        var text = Exposition()
        text.counter("htlcs", "HTLCs by what was decided about them.", by: "outcome", HTLCOutcome.allCases.map { ($0.rawValue, htlcs[$0] ?? 0) })
        text.histogram("decision_seconds", "From an HTLC's offer to the orders about it.", decision)
        text.histogram("settle_seconds", "From an HTLC's offer to the answer that settles it, waiting for other parts and for a decision included.", settle)
        text.histogram("commit_seconds", "From a change's order to its durability.", commit)
        text.histogram("commit_batch_seconds", "From the sending of a batch of changes to its answer.", batchDuration)
        text.histogram("commit_batch_changes", "Changes in one batch.", batchSize)
        text.histogram(
            "event_lag_seconds",
            "From an event's commit to its first frames; what another process has committed counts from the time it bears.", eventLag)
        text.counter("events", "Events published.", events)
        text.counter("history_queries", "Questions to the database about what clients have missed.", historyQueries)
        text.counter("http_requests", "HTTP requests handled.", requests)
        text.counter("lnurl_requests", "Requests of wallets.", lnurlRequests)
        text.counter("lnurl_invoices", "Invoices made for wallets.", lnurlInvoices)
        text.counter("lnurl_refusals", "Requests of wallets that were answered with an error.", lnurlRefusals)
        text.counter(
            "webhook_deliveries", "Attempts to deliver a webhook, by how they ended: retried ones are tried again, failed ones are not.",
            by: "outcome", WebhookOutcome.allCases.map { ($0.rawValue, webhooks[$0] ?? 0) })
        text.counter(
            "payouts", "Payouts by what became of them; unknown ones are asked after until they end.", by: "state",
            [PayoutState.unknown, .settled, .failed].map { ($0.rawValue, payouts[$0] ?? 0) })
        if !grpcCalls.isEmpty {
            text.counter("grpc_calls", "Calls of lnmux.Service, by method.", by: "method", grpcCalls.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }
        text.gauge("invoice_accepted_subscribers", "Open streams of lnmux.Service/SubscribeInvoiceAccepted.", acceptedSubscribers)
        text.gauge("stream_head", "Offset of the last event published.", head)
        text.gauge("stream_behind", "Events that are known to be committed and were not published here yet.", behind)
        text.gauge("payments_live", "Payments in memory.", livePayments)
        append(edge, to: &text)
        text.gauge("database_connected", "Whether the database answers.", databaseIsConnected ? 1 : 0)
        text.gauge("leader", "Whether this process holds the lease.", term == nil ? 0 : 1)
        text.gauge("term", "The term of the lease, while it is held.", term ?? 0)
        text.gauge("node_connected", "Whether the node's HTLCs are intercepted.", by: "node", nodes.map { ($0.name, $0.isConnected ? 1 : 0) })
        return text.text
    }

    private func append(_ edge: EdgeStatus, to text: inout Exposition) {
        text.gauge("connections", "Open connections; sse are those of http that stream.", by: "transport", [
            ("http", edge.httpConnections), ("sse", edge.eventStreams), ("websocket", edge.webSocketClients),
        ])
        text.gauge(
            "subscriptions", "Subscriptions of WebSocket clients by kind of channel.", by: "channel",
            edge.subscriptions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        text.gauge("queue_bytes", "Bytes that wait for clients that do not read fast enough.", edge.queuedBytes)
        text.counter("websocket_opened", "WebSocket clients that came.", edge.counters.opened)
        text.counter("websocket_closed", "WebSocket clients that went.", edge.counters.closed)
        text.counter(
            "closes", "WebSocket clients that were closed, by close code.", by: "code",
            edge.counters.closes.sorted { $0.key < $1.key }.map { (String($0.key), $0.value) })
        text.counter(
            "refused", "Connections that were refused and clients that were closed, by the limit.", by: "limit",
            EdgeCounters.Limit.allCases.map { ($0.rawValue, edge.counters.refused[$0] ?? 0) })
        text.counter("recoveries", "Subscriptions that came back, by whether they were told what they missed.", by: "result", [
            ("recovered", edge.counters.recovered), ("unrecoverable", edge.counters.unrecoverable),
            ("unavailable", edge.counters.unavailable),
        ])
    }
}
