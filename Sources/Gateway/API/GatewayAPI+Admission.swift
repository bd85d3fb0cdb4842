internal import Edge
internal import Ledger
internal import Loop
internal import Payments
public import Wire

// Who is let in, how often, and what is remembered of it: the one door of every transport.
extension GatewayAPI {
    /// The one check of an API key. `scope` is what it has to be allowed; `nil` where every valid key will do. It takes one
    /// request from what the key may have.
    public func admit(_ token: String, for scope: Scope?, _ done: @escaping @LoopActor (Admission) -> Void) {
        authenticator.check(token) { [self] outcome in
            switch outcome {
            case .unknown: done(.refused(.unauthorized, nil, nil))
            case .expired: done(.refused(.expired, nil, nil))
            case .busy: done(.refused(.tooManyUnknownKeys, nil, nil))
            case .unavailable: done(.refused(.unavailable, nil, nil))
            case .known(let credentials):
                guard let caller = Caller(credentials) else { return done(.refused(.forbidden, nil, nil)) }
                let quota = authenticator.take(credentials)
                if let quota, quota.isExceeded { return done(.refused(quota.refusal, caller, quota)) }
                guard scope.map(credentials.allows) ?? true else { return done(.refused(.forbidden, caller, quota)) }
                done(.admitted(caller, quota))
            }
        }
    }

    /// Whether something may be done that the audit log has to hold.
    public var takesWrites: Bool { !audit.isFull }

    /// Writes into the audit log what somebody has done, or tried to do; `done` lets the answer leave.
    public func note(
        _ caller: Caller, transport: String, method: String, path: String, target: String? = nil, status: Int, requestID: String? = nil,
        _ done: @escaping @LoopActor () -> Void
    ) {
        audit.note(caller, transport: transport, method: method, path: path, target: target, status: status, requestID: requestID, done)
    }

    /// Lets the handler go on with who asks, or answers 401, 403, 429 or 503; what a claim has been answered with is answered
    /// again. Everything but reading is written into the audit log.
    func authorize(_ exchange: Exchange, for route: Route, _ go: @escaping @LoopActor (Caller) -> Void) {
        guard let token = exchange.request.headers.bearer else { return exchange.refuse(.unauthorized) }
        let isWrite = exchange.request.method != .get && exchange.request.method != .head
        admit(token, for: route.scope) { [self] admission in
            switch admission {
            case .refused(let problem, let caller, let quota):
                exchange.quota = quota
                // Who asks too often does nothing, and would fill the log.
                if isWrite, quota?.isExceeded != true, let caller {
                    guard takesWrites else { return exchange.refuse(.logFull) }
                    remember(exchange, caller)
                }
                exchange.refuse(problem)
            case .admitted(let caller, let quota):
                exchange.quota = quota
                exchange.caller = caller
                exchange.owner = OpenStreams.Owner(caller.credentials)
                if isWrite {
                    guard takesWrites else { return exchange.refuse(.logFull) }
                    remember(exchange, caller)
                }
                guard caller.isOperator || !route.isOperators else { return exchange.refuse(.forbidden) }
                guard exchange.request.method == .post, let key = exchange.request.headers.idempotencyKey else { return go(caller) }
                claim(exchange, key, caller) { go(caller) }
            }
        }
    }

    /// The answer leaves when the audit log has it; that of a new invoice, which is durable itself, as the row is handed over.
    private func remember(_ exchange: Exchange, _ caller: Caller) {
        exchange.beforeAnswer { [self, weak exchange] response, go in
            guard let exchange, exchange.isAudited else { return go(response) }
            let request = exchange.request
            let waits = exchange.waitsForAudit
            note(
                caller, transport: "http", method: request.method.rawValue, path: request.path, target: exchange.target,
                status: response.status, requestID: request.headers.requestID
            ) { if waits { go(response) } }
            if !waits { go(response) }
        }
    }

    private func claim(_ exchange: Exchange, _ key: String, _ caller: Caller, _ go: @escaping @LoopActor () -> Void) {
        claims.claim(exchange.request, key: key, account: caller.account, at: gateway.now) { [self] outcome in
            switch outcome {
            case .granted(let claim):
                exchange.claim = claim
                exchange.beforeAnswer { [self] response, go in claims.end(claim, response, go) }
                go()
            case .answered(let response): exchange.repeat(response)
            case .refused(let problem): exchange.refuse(problem)
            }
        }
    }

    /// Ends streams whose right has ended, and counts what has to be counted by somebody.
    func review() {
        for streams in allStreams { streams.review { authenticator.standing(of: $0) } }
        rounds += 1
        guard gateway.isLeader, rounds % 5 == 0 else { return }
        openInvoices.settleUp()
        guard rounds % 30 == 0 else { return }
        claims.forgetOld(at: gateway.now)
        audit.forgetOld(before: gateway.now.advanced(byMilliseconds: -gateway.settings.auditRetentionMilliseconds))
    }
}
