internal import Bolt
internal import Keys
internal import LND
internal import Ledger
internal import Logging
internal import Loop
internal import Payments
internal import Wire

/// What the machine orders, carried out.
extension PaymentGateway {
    func run(_ fact: (inout PaymentMachine<LibCrypto>, UnixTime) -> [Order]) {
        for order in fact(&machine, now) { carry(out: order) }
    }

    private func carry(out order: Order) {
        switch order {
        case .hold:
            metrics.count(htlc: .held)
        case .settle(let circuitKey, let preimage):
            metrics.count(htlc: .settled)
            if let offeredAt = held[circuitKey]?.offeredAt { metrics.settle.record(nanoseconds: Clock.monotonicNanoseconds - offeredAt) }
            answer(circuitKey) { .settle(preimage, $0.paymentHash) }
        case .fail(let circuitKey, let rejection, let amount, let height):
            metrics.count(htlc: .failed)
            tellRefusal(of: circuitKey, rejection, amount: amount)
            answer(circuitKey) { Self.failure(rejection, $0, amount: amount, height: height) }
        case .persist(let id, let change):
            // An outcome belongs to the machine that ordered the change, and each term has a machine of its own.
            let asked = leadership.state
            commit(change, searchTerms: Self.searchTerms(of: change), id: id) { [weak self] outcome in
                guard let self, leadership.state == asked else { return }
                run { $0.persisted(id, outcome, at: $1) }
            }
        case .withdraw(let id):
            ledger.withdraw(id)
        case .lookUp(let hash):
            let asked = leadership.state
            ledger.lookup([hash]) { [weak self] found in
                guard let self, isRestored, leadership.state == asked else { return }
                run { $0.found(hash, found.first, at: $1) }
            }
        case .reply(let id, let reply):
            replies.removeValue(forKey: id)?(reply)
        }
    }

    /// What is paid for an order is found by it, although the invoice has had no row before.
    private static func searchTerms(of change: Change) -> [Int64] {
        guard case .accept(let set, _) = change.step, let orderID = set.note?.orderID else { return [] }
        return [SearchTerm.orderID(orderID).number(by: LibCrypto.self)]
    }

    /// What is not held any more went with its stream, and with it the wish for an answer.
    private func answer(_ circuitKey: CircuitKey, _ make: (Held) -> Answer) {
        guard let htlc = held.removeValue(forKey: circuitKey), let node = nodes.first(where: { $0.pubkey == circuitKey.node }) else { return }
        // What became of it is told by the node.
        _ = node.answer(circuitKey, make(htlc))
    }

    private static func failure(_ rejection: Rejection, _ htlc: Held, amount: Millisatoshis, height: UInt32) -> Answer {
        guard let message = FailureMessage(rejection, amount: amount, height: height) else { return .failTemporarily }
        return .fail(encrypted: FailurePacket.create(message, sharedSecret: htlc.sharedSecret, by: LibCrypto.self))
    }

    func tell(_ event: Event) {
        commit(Change(.tell, events: [event], time: now)) { _ in }
    }

    /// Commits, publishes what was committed, and reports. `failed` runs instead of `done` if the store will never take the
    /// change; without it that is reported as a refusal.
    func commit(
        _ change: Change, searchTerms: [Int64] = [], id: ChangeID? = nil, failed: (@LoopActor () -> Void)? = nil,
        _ done: @escaping @LoopActor (ChangeOutcome) -> Void
    ) {
        let rendered = change.events.map { EventCodec.render($0, nodeNames: nodeNames, time: change.time, by: LibCrypto.self) }
        let start = Clock.monotonicNanoseconds
        // What is about no invoice is the gateway's own.
        let account = change.step.account ?? Caller.operatorAccount
        ledger.commit(CommitEntry(change: change, account: account, rendered: rendered, searchTerms: searchTerms, id: id)) { [weak self] result in
            guard let self else { return }
            metrics.commit.record(nanoseconds: Clock.monotonicNanoseconds - start)
            switch result {
            case .applied(let events):
                if committedAt == nil, !events.isEmpty { committedAt = Clock.monotonicNanoseconds }
                publisher.committed(events)
                done(.applied)
            case .repeated:
                publisher.catchUp()
                done(.repeated)
            case .refused(let stored):
                done(.refused(stored))
            case .deposed:
                leadership.deposed()
            case .withdrawn(let mayBeStored):
                done(.withdrawn(mayBeStored: mayBeStored))
            case .failed(let sqlState, let stored):
                logger.critical("the store can never take a change", metadata: ["sqlstate": "\(sqlState)"])
                if let failed { failed() } else { done(.refused(stored)) }
            }
        }
    }

    func published(_ events: [PublishedEvent]) {
        metrics.events += events.count
        history.published(events)
        let committedAt = committedAt
        self.committedAt = nil
        onEvents?(events)
        courier.published(events)
        payouts.published(events)
        // What is published is written at the end of this turn, before this.
        LoopActor.atEndOfTurn { [metrics] in
            if let committedAt { return metrics.eventLag.record(nanoseconds: Clock.monotonicNanoseconds - committedAt, times: events.count) }
            let now = Clock.wallMilliseconds
            for event in events { metrics.eventLag.record(Double(max(0, now - event.time.milliseconds)) / 1000) }
        }
    }
}
