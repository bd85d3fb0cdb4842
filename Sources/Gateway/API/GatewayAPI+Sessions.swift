public import Edge
internal import Ledger
internal import Loop
internal import Payments
public import Wire

// What WebSocket sessions ask for: the same checks and the same objects as REST.
extension GatewayAPI {
    public func authenticate(_ token: String, _ done: @escaping @LoopActor (ClientSession.Authentication) -> Void) {
        authenticator.check(token) { outcome in
            switch outcome {
            case .known(let credentials): done(.known(credentials))
            case .expired: done(.expired)
            case .unknown: done(.unknown)
            case .busy, .unavailable: done(.unavailable)
            }
        }
    }

    public func standing(of credentials: Credentials) -> Standing { authenticator.standing(of: credentials) }

    public func load(
        _ channel: Channel, account: Int64?, after: Int64, limit: Int, _ done: @escaping @LoopActor (LoadedHistory?) -> Void
    ) {
        guard let epoch = gateway.epoch else { return done(nil) }
        guard limit > 0 else { return present(channel, account, epoch, done) }
        gateway.history.events(EventFilter(channel, account: account), after: after, limit: limit) { result in
            guard case .success(let past) = result else { return done(nil) }
            done(LoadedHistory(events: past.events, head: past.head, first: past.first, epoch: epoch, publications: past.publications))
        }
    }

    /// An invoice's channel begins with the invoice as it is; the others tell of nothing that has a state.
    private func present(_ channel: Channel, _ account: Int64?, _ epoch: String, _ done: @escaping @LoopActor (LoadedHistory?) -> Void) {
        guard case .invoice(let hash) = channel else {
            return done(LoadedHistory(events: [], head: gateway.head, first: gateway.head + 1, epoch: epoch))
        }
        gateway.states.read(hash, of: account) { [self] result in
            guard case .success(let present) = result else { return done(nil) }
            done(LoadedHistory(
                events: [], head: present.head, first: present.head + 1, epoch: epoch,
                snapshot: present.record.map { encode($0, showsPreimage: account != nil) }))
        }
    }

    public func call(
        _ method: RemoteMethod, _ decision: ClientCommand.Decision, by credentials: Credentials,
        _ done: @escaping @LoopActor (Result<[UInt8], CentrifugeError>) -> Void
    ) {
        switch authenticator.standing(of: credentials) {
        case .valid: break
        case .expired: return done(.failure(.tokenExpired))
        case .revoked: return done(.failure(.unauthorized))
        }
        if let quota = authenticator.take(credentials), quota.isExceeded { return done(.failure(Self.refusal(quota.refusal))) }
        switch method {
        case .get:
            find(decision.paymentHash, of: credentials.account) { [self] result in
                guard case .success(let found) = result else { return done(.failure(.internalError)) }
                guard let record = found else { return done(.failure(Self.refusal(.unknownInvoice))) }
                done(.success(encode(record, showsPreimage: credentials.allows(.invoicesRead))))
            }
        case .settle, .cancel:
            guard let caller = Caller(credentials) else { return done(.failure(.permissionDenied)) }
            guard takesWrites else { return done(.failure(Self.refusal(.logFull))) }
            // The SDKs wait five seconds for an answer.
            let wish: PaymentGateway.Wish = method == .settle ? .settle : .cancel
            gateway.decide(caller.account, decision.paymentHash, wish, decision.setID, within: 3500) { [self] result in
                let answer = result.map { encode($0, showsPreimage: credentials.allows(.invoicesRead)) }.mapError { Self.refusal($0.problem) }
                var status = 200
                if case .failure(let refusal) = result { status = refusal.problem.status }
                note(
                    caller, transport: "websocket", method: "RPC", path: method.rawValue, target: decision.paymentHash.description,
                    status: status
                ) { done(answer) }
            }
        }
    }

    /// As over REST: what somebody tried to change is in the audit log, unless he only asks too often.
    public func denied(_ method: RemoteMethod, _ decision: ClientCommand.Decision, by credentials: Credentials) {
        guard method != .get, let caller = Caller(credentials), takesWrites else { return }
        guard authenticator.standing(of: credentials) == .valid, authenticator.take(credentials)?.isExceeded != true else { return }
        note(
            caller, transport: "websocket", method: "RPC", path: method.rawValue, target: decision.paymentHash.description,
            status: Problem.forbidden.status
        ) {}
    }

    /// Codes below 400 are the protocol's own; who asks too often gets that one, which clients know.
    private static func refusal(_ problem: Problem) -> CentrifugeError {
        guard problem.code == Problem.rateLimited.code, let limit = problem.limit, let seconds = problem.retryAfterSeconds else {
            return CentrifugeError(code: problem.status, message: problem.code)
        }
        return .tooManyRequests(limit: limit, retryAfterSeconds: seconds)
    }
}

extension EventFilter {
    /// What a subscriber of this account sees; `nil` is a watch token, which sees one invoice.
    init(_ channel: Channel, account: Int64?) {
        self.init(account: account, types: channel.types ?? [])
        if case .invoice(let hash) = channel { paymentHash = hash }
    }
}
