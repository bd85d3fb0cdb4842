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
            case .unknown: done(.unknown)
            case .unavailable: done(.unavailable)
            }
        }
    }

    public func load(
        _ channel: Channel, account: Int64?, after: Int64, limit: Int, _ done: @escaping @LoopActor (LoadedHistory?) -> Void
    ) {
        guard let epoch = gateway.epoch else { return done(nil) }
        var paymentHash: PaymentHash?
        if case .invoice(let hash) = channel { paymentHash = hash }
        // What was published before the question is in the answer; what is published while it is on its way may not be,
        // unless an event in the answer is as new.
        let asked = gateway.head
        let finish: @LoopActor ([PublishedEvent]) -> Void = { [self] events in
            snapshot(of: channel, account: account) { snapshot in
                // The whole log is kept, so the first offset is always there.
                let head = max(asked, events.last?.offset ?? 0)
                done(LoadedHistory(events: events, head: head, first: 1, epoch: epoch, snapshot: snapshot))
            }
        }
        guard limit > 0 else { return finish([]) }
        ledger.events(after: after, limit: limit, account: account, types: channel.types, paymentHash: paymentHash) { result in
            guard case .success(let events) = result else { return done(nil) }
            finish(events)
        }
    }

    public func call(
        _ method: RemoteMethod, _ decision: ClientCommand.Decision, account: Int64?,
        _ done: @escaping @LoopActor (Result<[UInt8], CentrifugeError>) -> Void
    ) {
        switch method {
        case .get:
            ledger.invoice(decision.paymentHash, account: account) { [self] result in
                guard case .success(let found) = result else { return done(.failure(.internalError)) }
                guard let record = found else { return done(.failure(CentrifugeError(code: 404, message: "unknown invoice"))) }
                done(.success(encode(record, showsPreimage: account != nil)))
            }
        case .settle, .cancel:
            decide(account, decision.paymentHash, method == .settle ? .settle : .cancel, decision.setID) { [self] result in
                switch result {
                case .success(let record): done(.success(encode(record)))
                case .failure(let refusal):
                    // Codes below 400 are the protocol's own.
                    done(.failure(CentrifugeError(code: refusal.problem.status, message: refusal.problem.code)))
                }
            }
        }
    }

    /// An invoice's channel begins with the invoice as it is; the others tell of nothing that has a state.
    private func snapshot(of channel: Channel, account: Int64?, _ done: @escaping @LoopActor ([UInt8]?) -> Void) {
        guard case .invoice(let hash) = channel else { return done(nil) }
        ledger.invoice(hash, account: account) { [self] result in
            guard case .success(let record?) = result else { return done(nil) }
            done(encode(record, showsPreimage: account != nil))
        }
    }
}
