/// Decides about every HTLC of every payment: facts in (past tense), orders out (imperative).
///
/// An HTLC that was part of a settlement is settled again, whoever asks and however often. Until it is certain that an
/// HTLC was not, it is held: the store is asked before a part with the right secret is failed. A settlement is ordered
/// out only after the store has confirmed it, and from the moment it was handed to the store no part of it is failed until
/// the store has confirmed that it can never be.
public struct PaymentMachine<Hash: SHA256Digest>: Equatable, Sendable {
    let policy: PaymentPolicy
    /// The highest block that any node has told of. It never goes down: a reorganisation cannot take back a deadline.
    public internal(set) var height: UInt32 = 0
    var payments: [PaymentHash: LivePayment] = [:]
    var hashes: [CircuitKey: PaymentHash] = [:]
    /// Payments that time or height can change.
    var waiting: Set<PaymentHash> = []
    var changes: [ChangeID: PaymentHash] = [:]
    /// HTLCs of incomplete sets by node.
    var incomplete: [PublicKey: Int] = [:]
    var nextChange: UInt64 = 0

    public init(policy: PaymentPolicy) { self.policy = policy }

    /// How many payments are in memory.
    public var liveCount: Int { payments.count }

    /// The HTLCs of settled sets on a node whose final resolution is not known yet.
    public func unresolved(on node: PublicKey) -> [CircuitKey] {
        payments.values.flatMap { payment -> [CircuitKey] in
            guard case .settled = payment.phase else { return [] }
            return payment.parts.filter { $0.resolution == nil && $0.htlc.circuitKey.node == node }.map(\.htlc.circuitKey)
        }.sorted()
    }

    // MARK: Facts from the nodes

    /// A node offered an HTLC, for the first time or again.
    public mutating func offered(_ offer: Offer, at time: UnixTime) -> [Order] {
        var orders: [Order] = []
        let hash = offer.paymentHash
        var payment = payments.removeValue(forKey: hash)
            ?? LivePayment(terms: offer.terms, preimage: offer.preimage, phase: .collecting(since: time))
        if payment.preimage == nil { payment.preimage = offer.preimage }
        if let index = payment.index(of: offer.htlc.circuitKey) {
            reoffered(offer, index, &payment, at: time, &orders)
        } else {
            arrived(offer, &payment, at: time, &orders)
        }
        store(payment, hash)
        return orders
    }

    private mutating func reoffered(_ offer: Offer, _ index: Int, _ payment: inout LivePayment, at time: UnixTime, _ orders: inout [Order]) {
        let old = payment.parts[index]
        payment.parts[index].isAttached = true
        if case .settled = payment.phase {
            orders.append(.settle(offer.htlc.circuitKey, offer.preimage))
            return
        }
        // A part that went on chain keeps its place, but it can no longer be counted on.
        payment.parts[index].htlc.isOnChain = offer.htlc.isOnChain
        payment.parts[index].htlc.autoFailHeight = offer.htlc.autoFailHeight
        if case .collecting = payment.phase {
            if old.isAttached { countIncomplete(old.htlc, -1) }
            countIncomplete(offer.htlc, 1)
        }
        orders.append(.hold(offer.htlc.circuitKey))
        if offer.htlc.isOnChain {
            letGoIfUndecided(offer.paymentHash, &payment, .released, at: time, &orders)
        } else {
            completeIfPossible(offer.paymentHash, &payment, at: time, &orders)
        }
    }

    private mutating func arrived(_ offer: Offer, _ payment: inout LivePayment, at time: UnixTime, _ orders: inout [Order]) {
        let rejection: Rejection?
        switch payment.phase {
        case .collecting:
            // What is on chain can only be claimed for a decision that was made before.
            rejection = offer.htlc.isOnChain ? .notPayable
                : Admission.rejection(of: offer, joining: payment, height: height, time: time, policy: policy)
        case .accepting, .accepted, .requestingSettlement, .releasing, .voiding, .canceling, .expiring, .settled:
            rejection = .setFull
        }
        if let rejection {
            suspect(offer, rejection, &payment, &orders)
            if rejection == .totalMismatch { letGoIfUndecided(offer.paymentHash, &payment, .totalMismatch, at: time, &orders) }
            return
        }
        if payment.parts.isEmpty {
            payment.phase = .collecting(since: time)
            payment.note = nil
        }
        payment.note = payment.note ?? offer.note
        payment.parts.append(.init(htlc: offer.htlc, isAttached: true, receivedHeight: height))
        hashes[offer.htlc.circuitKey] = offer.paymentHash
        countIncomplete(offer.htlc, 1)
        orders.append(.hold(offer.htlc.circuitKey))
        completeIfPossible(offer.paymentHash, &payment, at: time, &orders)
        if case .collecting = payment.phase {
            lookUp(offer.paymentHash, &payment, &orders)
            relieve(offer.htlc.circuitKey.node, sparing: offer.paymentHash, at: time, &orders)
        }
    }

    /// Fails the HTLC at once if the store cannot know better, else when it has answered.
    private mutating func suspect(_ offer: Offer, _ rejection: Rejection, _ payment: inout LivePayment, _ orders: inout [Order]) {
        let suspect = LivePayment.Suspect(htlc: offer.htlc, rejection: rejection, receivedHeight: height)
        if payment.isKnown {
            fail(suspect, &orders)
            return
        }
        payment.suspects.removeAll { $0.htlc.circuitKey == offer.htlc.circuitKey }
        payment.suspects.append(suspect)
        orders.append(.hold(offer.htlc.circuitKey))
        if case .collecting = payment.phase { lookUp(offer.paymentHash, &payment, &orders) }
    }

    /// A node's stream ended: what it had offered can be answered only after it is offered again.
    public mutating func nodeDetached(_ node: PublicKey) {
        for (hash, payment) in payments where payment.parts.contains(where: { $0.htlc.circuitKey.node == node }) || !payment.suspects.isEmpty {
            var payment = payment
            payments[hash] = nil
            for index in payment.parts.indices where payment.parts[index].htlc.circuitKey.node == node && payment.parts[index].isAttached {
                payment.parts[index].isAttached = false
                if case .collecting = payment.phase { countIncomplete(payment.parts[index].htlc, -1) }
            }
            payment.suspects.removeAll { $0.htlc.circuitKey.node == node }
            // While the stream was away, another leader may have settled what was offered on it.
            switch payment.phase {
            case .collecting, .accepting, .requestingSettlement, .releasing: payment.isKnown = false
            case .accepted, .voiding, .canceling, .expiring, .settled: break
            }
            store(payment, hash)
        }
    }

    /// A node told how an HTLC ended.
    public mutating func resolved(_ circuitKey: CircuitKey, _ resolution: Resolution, at time: UnixTime) -> [Order] {
        guard let hash = hashes[circuitKey], var payment = payments.removeValue(forKey: hash),
            let index = payment.index(of: circuitKey)
        else { return [] }
        var orders: [Order] = []
        payment.parts[index].resolution = payment.parts[index].resolution ?? resolution
        switch payment.phase {
        case .settled:
            resolve(hash, &payment, at: time, &orders)
        case .collecting:
            // The node let it go without us; what is left may still be completed.
            remove(index, from: &payment)
        case .accepted, .accepting, .requestingSettlement:
            letGoIfUndecided(hash, &payment, .released, at: time, &orders)
        case .releasing, .voiding, .canceling, .expiring:
            break
        }
        store(payment, hash)
        return orders
    }

    /// A node told of a block. Lower heights than one seen before change nothing.
    public mutating func heightReached(_ height: UInt32, at time: UnixTime) -> [Order] {
        guard height > self.height else { return [] }
        self.height = height
        // Not only those that wait: a block is rare, and what is on its way to the store can come too late.
        let near = payments.filter { _, payment in
            if case .settled = payment.phase { return false }
            if case .voiding(nil, _) = payment.phase { return true }
            return payment.parts.contains { !$0.htlc.isOnChain && !Admission.hasTime($0.htlc, height: height, policy: policy) }
        }
        return visit(near.keys) { machine, hash, payment, orders in
            machine.letGoIfUndecided(hash, &payment, .released, at: time, &orders)
            machine.letGoAtDeadline(&payment, &orders)
        }
    }

    /// Time has passed. Called a few times a second.
    public mutating func timeReached(_ time: UnixTime) -> [Order] {
        visit(waiting) { machine, hash, payment, orders in
            switch payment.phase {
            case .collecting(let since):
                if !payment.parts.isEmpty, time >= since.advanced(byMilliseconds: machine.policy.mppTimeout) {
                    machine.letGoIfUndecided(hash, &payment, .timedOut, at: time, &orders)
                }
            case .accepted(_, let since):
                if time >= since.advanced(byMilliseconds: machine.policy.acceptTimeout) {
                    machine.letGoIfUndecided(hash, &payment, .released, at: time, &orders)
                }
            case .accepting, .requestingSettlement, .releasing, .voiding, .canceling, .expiring, .settled:
                break
            }
        }
    }

    private mutating func visit(
        _ hashes: some Sequence<PaymentHash>, _ visit: (inout Self, PaymentHash, inout LivePayment, inout [Order]) -> Void
    ) -> [Order] {
        var orders: [Order] = []
        // Sorted, so that the same facts give the same orders whatever the hash table's order is.
        for hash in hashes.sorted() {
            guard var payment = payments.removeValue(forKey: hash) else { continue }
            visit(&self, hash, &payment, &orders)
            store(payment, hash)
        }
        return orders
    }
}
