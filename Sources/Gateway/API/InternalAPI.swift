public import Edge
internal import LND
internal import Ledger
public import Loop
internal import Wire

/// What is for operators and their machines: metrics, health, readiness. Never on a public address.
@LoopActor
public final class InternalAPI: EdgeApplication {
    private let gateway: PaymentGateway
    private let edge: @LoopActor () -> EdgeStatus
    /// Committed events that were not told here yet; a few are always on their way.
    static let maximumLag: Int64 = 5000

    /// `edge` tells how what serves the clients stands.
    public init(gateway: PaymentGateway, edge: @escaping @LoopActor () -> EdgeStatus) {
        self.gateway = gateway
        self.edge = edge
    }

    public func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let exchange = Exchange(request: request, responder: responder)
        guard request.method == .get || request.method == .head else { return exchange.refuse(.methodNotAllowed) }
        switch request.path {
        case "/metrics":
            let nodes = gateway.nodes.map { (name: $0.configuration.name, isConnected: $0.state.isConnected) }
            let text = gateway.metrics.text(
                nodes: nodes, head: gateway.head, behind: gateway.behind, livePayments: gateway.livePayments, edge: edge())
            exchange.respond(Array(text.utf8), contentType: "text/plain; version=0.0.4; charset=utf-8")
        case "/health":
            exchange.respond(Array(#"{"status":"ok"}"#.utf8))
        case "/ready":
            ready(exchange)
        default:
            exchange.refuse(.notFound)
        }
    }

    /// A process that ends is not ready, so that nobody new is sent to it. Else ready means: the database answers, a leader is
    /// known and, where this process is the leader, at least one node is connected. A standby is ready, and so is a process
    /// that only serves clients, unless it is behind by more than a moment's events.
    private func ready(_ exchange: Exchange) {
        gateway.ledger.stream { [self] result in
            var isLed = false
            var answers = false
            var lag: Int64 = 0
            // What commits has a connection of its own, which may come back later than the one that was asked.
            if case .success(let position) = result, case .connected = gateway.ledger.state {
                answers = true
                isLed = position.isLed
                lag = max(0, position.head - gateway.head)
            }
            let isReady = !gateway.isResigning && answers && isLed && lag <= Self.maximumLag && (!gateway.isLeader || gateway.nodes.contains { $0.state.isConnected })
            var json = JSONWriter()
            json.object { json in
                json.field("status", isReady ? "ready" : "not_ready")
                json.field("database", answers ? "connected" : "away")
                json.field("leader", gateway.isLeader ? "this" : isLed ? "other" : "none")
                json.field("lag", lag)
                json.array("nodes") { json in
                    for node in gateway.nodes { NodeDocument.append(node, state: gateway.stateName(of: node), to: &json) }
                }
            }
            exchange.respond(json.bytes, status: isReady ? 200 : 503)
        }
    }
}
