internal import Bolt
internal import Keys
internal import LND
internal import Ledger
internal import Loop
internal import Payments

/// What nodes, people and time tell the machine.
extension PaymentGateway {
    func listen(to node: LNDNode) {
        let key = node.pubkey
        node.onHeight = { [weak self] height in self?.run { $0.heightReached(height, at: $1) } }
        node.onOffered = { [weak self, weak node] htlc in if let node { self?.offered(htlc, by: node) } }
        node.onResolution = { [weak self] circuitKey, resolution in
            self?.held[circuitKey] = nil
            self?.run { $0.resolved(circuitKey, resolution, at: $1) }
        }
        node.onStreamLost = { [weak self] in self?.detached(key) }
        node.pendingCircuits = { [weak self] in self?.machine.unresolved(on: key) ?? [] }
        node.onConnected = { [weak self] _ in
            self?.tell(Event(.nodeConnected, .node(key, reason: nil)))
            self?.liquidity.refresh(key)
            self?.payouts.nodeReturned(key)
        }
        node.onDisconnected = { [weak self] problem in
            self?.tell(Event(.nodeDisconnected, .node(key, reason: problem.reason)))
            self?.liquidity.refresh(key)
        }
    }

    private func offered(_ htlc: InterceptedHTLC, by node: LNDNode) {
        guard isRestored else { return }
        let start = Clock.monotonicNanoseconds
        switch screening.judge(htlc, height: machine.height) {
        case .offer(var offer, let sharedSecret):
            offer.isAttended = attendance.isAttended(offer.terms)
            held[htlc.circuitKey] = Held(
                paymentHash: htlc.paymentHash, sharedSecret: sharedSecret, offeredAt: start, htlc: offer.htlc, isStored: offer.terms.isStored)
            run { $0.offered(offer, at: $1) }
        case .badOnion(let error):
            reject(htlc, at: node, .failBadOnion(error))
        case .failure(let message, let sharedSecret):
            reject(htlc, at: node, .fail(encrypted: FailurePacket.create(message, sharedSecret: sharedSecret, by: LibCrypto.self)))
        }
        metrics.decision.record(nanoseconds: Clock.monotonicNanoseconds - start)
    }

    /// The node takes nothing but a settlement for an HTLC that is on chain.
    private func reject(_ htlc: InterceptedHTLC, at node: LNDNode, _ answer: Answer) {
        guard !htlc.isOnChain else { return }
        metrics.count(htlc: .failed)
        _ = node.answer(htlc.circuitKey, answer)
    }

    private func detached(_ node: PublicKey) {
        for circuitKey in held.keys where circuitKey.node == node { held[circuitKey] = nil }
        machine.nodeDetached(node)
    }

    func timePassed() {
        guard isRestored else { return }
        run { $0.timeReached($1) }
    }

    func sweepExpired() {
        guard isRestored else { return }
        ledger.expired(before: now, limit: 500) { [weak self] result in
            guard let self, case .success(let hashes) = result, !hashes.isEmpty else { return }
            ledger.lookup(hashes) { [weak self] found in
                guard let self, isRestored else { return }
                for invoice in found where invoice.state == .open {
                    run { $0.expiryPassed(invoice.paymentHash, invoice.terms, at: $1) }
                }
            }
        }
    }

    /// Settles or cancels; the answer comes when it is durable.
    func request(_ wish: Wish, of invoice: InvoiceRecord, _ setID: SetID?, _ reply: @escaping @LoopActor (Reply) -> Void) {
        guard isRestored else { return reply(.nodeAway) }
        nextRequest += 1
        let id = RequestID(nextRequest)
        replies[id] = reply
        switch wish {
        case .settle: run { $0.settlementRequested(id, invoice.paymentHash, setID, at: $1) }
        case .cancel: run { $0.cancellationRequested(id, invoice.paymentHash, setID, terms: invoice.terms, at: $1) }
        }
    }
}
