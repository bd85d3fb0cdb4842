internal import LND
internal import Ledger
internal import Loop
internal import Payments

/// What people decide: wherever they ask, the process that leads does it.
extension PaymentGateway {
    /// Within which the leader has to begin what was asked for elsewhere: an election is over by then.
    static let leaderMilliseconds: UInt64 = 8000

    /// Settles or cancels an invoice of this account (`nil` for anybody's). Twice is the same as once.
    func decide(
        _ account: Int64?, _ hash: PaymentHash, _ wish: Wish, _ setID: SetID?, within milliseconds: UInt64 = leaderMilliseconds,
        _ done: @escaping @LoopActor (Result<InvoiceRecord, DecisionRefusal>) -> Void
    ) {
        find(account, hash) { [self] found in
            guard case .success(let record) = found else { return done(found) }
            if let outcome = Self.isDecided(record, wish, setID) { return done(outcome) }
            let answered: @LoopActor (DecisionRefusal?) -> Void = { [self] refusal in
                if let refusal { done(.failure(refusal)) } else { find(account, hash, done) }
            }
            if isLeader { return request(wish, of: record, setID) { answered(DecisionRefusal($0)) } }
            let asked: LeaderRequest.Wish = wish == .settle ? .settle(hash, setID) : .cancel(hash, setID)
            requests.ask(asked, milliseconds: milliseconds) { outcome in answered(DecisionRefusal(outcome)) }
        }
    }

    /// Leaves a node out of new invoices, or takes it in again; says how it then stands. Every later leader finds it in the store.
    func setDraining(_ node: LNDNode, _ isDraining: Bool, _ done: @escaping @LoopActor (Result<String, DecisionRefusal>) -> Void) {
        if case .leader(let term) = leadership.state {
            return ledger.setDrained(node.pubkey, isDraining, term: term) { [self] result in
                switch result {
                case .failure: done(.failure(.unavailable))
                // Another leader has been elected and does not know of it.
                case .success(false): done(.failure(.noLeader))
                case .success(true):
                    if isDraining { node.drain() } else { node.resume() }
                    done(.success(stateName(of: node)))
                }
            }
        }
        requests.ask(isDraining ? .drain(node.pubkey) : .resume(node.pubkey), milliseconds: Self.leaderMilliseconds) { outcome in
            if case .answered(let text) = outcome, DecisionRefusal(rawValue: text) == nil { return done(.success(text)) }
            done(.failure(DecisionRefusal(outcome) ?? .unavailable))
        }
    }

    /// What another process has asked of this one, which leads.
    func serve(_ wish: LeaderRequest.Wish, _ answer: @escaping @LoopActor (String) -> Void) {
        switch wish {
        case .settle(let hash, let setID): serve(hash, .settle, setID, answer)
        case .cancel(let hash, let setID): serve(hash, .cancel, setID, answer)
        case .drain(let key), .resume(let key):
            guard let node = nodes.first(where: { $0.pubkey == key }) else { return answer(DecisionRefusal.unknownNode.rawValue) }
            setDraining(node, wish == .drain(key)) { outcome in if case .success(let state) = outcome { answer(state) } }
        }
    }

    /// Whoever is deposed meanwhile says nothing: the next leader is asked the same.
    private func serve(_ hash: PaymentHash, _ wish: Wish, _ setID: SetID?, _ answer: @escaping @LoopActor (String) -> Void) {
        find(nil, hash) { [self] found in
            guard case .success(let record) = found else { return answer(Self.text(found)) }
            if let outcome = Self.isDecided(record, wish, setID) { return answer(Self.text(outcome)) }
            guard isLeader else { return }
            request(wish, of: record, setID) { answer(DecisionRefusal($0)?.rawValue ?? DecisionRefusal.followed) }
        }
    }

    private static func text(_ outcome: Result<InvoiceRecord, DecisionRefusal>) -> String {
        switch outcome {
        case .success: DecisionRefusal.followed
        case .failure(let refusal): refusal.rawValue
        }
    }

    /// What the stored state says already; `nil` if there is something to do.
    private static func isDecided(_ record: InvoiceRecord, _ wish: Wish, _ setID: SetID?) -> Result<InvoiceRecord, DecisionRefusal>? {
        switch wish {
        case .settle where record.state == .settleRequested || record.state == .settled:
            setID == nil || setID == record.setID ? .success(record) : .failure(.otherSet)
        case .cancel where record.state == .canceled: .success(record)
        case .settle, .cancel: nil
        }
    }

    private func find(_ account: Int64?, _ hash: PaymentHash, _ done: @escaping @LoopActor (Result<InvoiceRecord, DecisionRefusal>) -> Void) {
        ledger.invoice(hash, account: account) { result in
            switch result {
            case .failure: done(.failure(.unavailable))
            case .success(nil): done(.failure(.unknownInvoice))
            case .success(let record?): done(.success(record))
            }
        }
    }
}
