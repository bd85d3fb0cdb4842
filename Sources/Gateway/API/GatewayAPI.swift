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
    let lookUps: InvoiceStates
    /// Those of every way in, these and those of ``serve(_:)``.
    private(set) var allStreams: [OpenStreams]
    let audit: AuditLog
    let claims: Claims
    let openInvoices: OpenInvoices
    let claimSecrets: ClaimSecrets
    let lnurl: LNURLFace
    let logins: PendingLogins
    let samples = SampleLimits()
    /// Accounts of which a range is being put in line again: that may take seconds, and others wait behind it.
    var redelivering: Set<Int64> = []
    /// How often ``review()`` was called.
    var rounds = 0
    private var reviews: Timer?

    public init(gateway: PaymentGateway, issuer: InvoiceIssuer, watchTokens: WatchTokens, streamLimits: StreamLimits = .init()) {
        self.gateway = gateway
        self.issuer = issuer
        self.watchTokens = watchTokens
        streams = OpenStreams(limits: streamLimits)
        allStreams = [streams]
        lookUps = InvoiceStates(ledger: gateway.ledger, head: { 0 }, asked: {})
        authenticator = Authenticator(ledger: gateway.ledger, watchTokens: watchTokens, standard: gateway.settings.keyLimits)
        audit = AuditLog(ledger: gateway.ledger, logger: gateway.logger)
        claimSecrets = ClaimSecrets(identity: gateway.identity)
        claims = Claims(ledger: gateway.ledger, secrets: claimSecrets)
        openInvoices = OpenInvoices(ledger: gateway.ledger)
        lnurl = LNURLFace(gateway: gateway, issuer: issuer, states: lookUps)
        logins = PendingLogins(ledger: gateway.ledger)
        lnurl.login = { [weak self] request, token, done in self?.login(request, token, done) }
        lnurl.loginCode = { [weak self] token in self?.loginCode(token) }
        reviews = Timer(afterMilliseconds: 2_000, repeats: 2_000) { [weak self] in self?.review() }
    }

    isolated deinit { reviews?.cancel() }

    var ledger: Ledger { gateway.ledger }

    /// Takes over the streams of another way in: they get the events, end with the process and with the right to them.
    func serve(_ streams: OpenStreams) { allStreams.append(streams) }

    /// Committed events, for the streams, long polls and waiting calls that are open here.
    public func published(_ events: [PublishedEvent]) {
        for streams in allStreams { streams.published(events) }
        lnurl.directory.published(events)
        if gateway.isLeader { openInvoices.published(events) }
    }

    /// Tells all of them to come back later.
    public func endStreams() { for streams in allStreams { streams.endAll() } }

    public func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        gateway.metrics.requests += 1
        if lnurl.handle(request, responder) { return }
        let exchange = Exchange(request: request, responder: responder)
        guard let route = Route(request.method, request.path) else {
            return exchange.refuse(Route.isKnown(request.path) ? .methodNotAllowed : .notFound)
        }
        if request.method == .head, request.headers.acceptsEventStream { return exchange.refuse(.methodNotAllowed) }
        if case .watch(let token, let form) = route { return watch(exchange, token, form) }
        if case .login = route { return offerLogin(exchange) }
        authorize(exchange, for: route) { [self] caller in
            let account = caller.account
            switch route {
            case .createInvoice: createInvoice(exchange, caller)
            case .listInvoices: listInvoices(exchange, account)
            case .invoice(let hash): showInvoice(exchange, account, hash)
            case .waitForInvoice(let hash): waitForInvoice(exchange, account, hash)
            case .settleInvoice(let hash): decide(exchange, account, hash, .settle)
            case .cancelInvoice(let hash): decide(exchange, account, hash, .cancel)
            case .export: export(exchange, account)
            case .events: events(exchange, account)
            case .nodes: exchange.respond(nodesDocument(for: caller))
            case .drainNode(let key): setDraining(exchange, key, true)
            case .resumeNode(let key): setDraining(exchange, key, false)
            case .info: showInfo(exchange, caller)
            case .createAccount: createAccount(exchange)
            case .listAccounts: listAccounts(exchange, caller)
            case .createKey: createKey(exchange, caller)
            case .listKeys: listKeys(exchange, caller)
            case .revokeKey(let id): revokeKey(exchange, caller, id)
            case .rotateKey(let id): rotateKey(exchange, caller, id)
            case .audit: showAudit(exchange, caller)
            case .webhooks(let route): webhooks(exchange, account, route)
            case .payLinks(let route): payLinks(exchange, account, route)
            case .payouts(let route): payouts(exchange, caller, route)
            case .watch, .login: break
            }
        }
    }
}
