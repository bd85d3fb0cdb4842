public import Edge
public import Keys
internal import Ledger
public import Loop
public import Payments
internal import Wire

/// The REST interface: who asks, for what, and which handler answers.
@LoopActor
public final class GatewayAPI: EdgeApplication, ChannelSource {
    let gateway: PaymentGateway
    let authenticator: Authenticator
    let issuer: InvoiceIssuer
    let watchTokens: WatchTokens
    let streams: OpenStreams

    public init(gateway: PaymentGateway, issuer: InvoiceIssuer, watchTokens: WatchTokens, streamLimits: StreamLimits = .init()) {
        self.gateway = gateway
        self.issuer = issuer
        self.watchTokens = watchTokens
        streams = OpenStreams(limits: streamLimits)
        authenticator = Authenticator(ledger: gateway.ledger, watchTokens: watchTokens)
    }

    var ledger: Ledger { gateway.ledger }

    /// Committed events, for the streams and long polls that are open here.
    public func published(_ events: [PublishedEvent]) { streams.published(events) }

    /// Tells all streams and long polls to come back later.
    public func endStreams() { streams.endAll() }

    public func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        gateway.metrics.requests += 1
        let exchange = Exchange(request: request, responder: responder)
        guard let route = Route(request.method, request.path) else {
            return exchange.refuse(Route.isKnown(request.path) ? .methodNotAllowed : .notFound)
        }
        if request.method == .head, request.headers.acceptsEventStream { return exchange.refuse(.methodNotAllowed) }
        if case .watch(let token, let form) = route { return watch(exchange, token, form) }
        authorize(exchange, for: route) { [self] caller in
            let account = caller.account
            switch route {
            case .createInvoice: createInvoice(exchange, account)
            case .listInvoices: listInvoices(exchange, account)
            case .invoice(let hash): showInvoice(exchange, account, hash)
            case .waitForInvoice(let hash): waitForInvoice(exchange, account, hash)
            case .settleInvoice(let hash): decide(exchange, account, hash, .settle)
            case .cancelInvoice(let hash): decide(exchange, account, hash, .cancel)
            case .export: export(exchange, account)
            case .events: events(exchange, account)
            case .nodes: exchange.respond(nodesDocument())
            case .drainNode(let key): setDraining(exchange, key, true)
            case .resumeNode(let key): setDraining(exchange, key, false)
            case .info: showInfo(exchange)
            case .webhooks(let route): webhooks(exchange, account, route)
            case .watch: break
            }
        }
    }

    /// Lets the handler go on with who asks, or answers 401, 403 or 503.
    private func authorize(_ exchange: Exchange, for route: Route, _ go: @escaping @LoopActor (Caller) -> Void) {
        guard let token = exchange.request.headers.bearer else { return exchange.refuse(.unauthorized) }
        admit(token, for: route.scope) { result in
            switch result {
            case .failure(let problem): exchange.refuse(problem)
            case .success(let caller):
                guard caller.isOperator || !route.isOperators else { return exchange.refuse(.forbidden) }
                exchange.caller = caller
                exchange.owner = OpenStreams.Owner(caller.credentials)
                go(caller)
            }
        }
    }

    /// The one check of an API key. `scope` is what it has to be allowed; `nil` where every valid key will do.
    func admit(_ token: String, for scope: Scope?, _ done: @escaping @LoopActor (Result<Caller, Problem>) -> Void) {
        authenticator.check(token) { outcome in
            switch outcome {
            case .unknown: done(.failure(.unauthorized))
            case .unavailable: done(.failure(.unavailable))
            case .known(let credentials):
                guard scope.map(credentials.allows) ?? true, let caller = Caller(credentials) else { return done(.failure(.forbidden)) }
                done(.success(caller))
            }
        }
    }
}
