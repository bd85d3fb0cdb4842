// Facts from the store: what it knew at the start, what it found, what became of a change.
extension PaymentMachine {
    /// At the start, before any node is heard: the sets that are accepted or settled and not concluded.
    ///
    /// An accepted set gets a new time to be decided in. Nothing is answered until the nodes offer the parts again.
    public mutating func restored(_ sets: [StoredSet], at time: UnixTime) {
        for stored in sets {
            guard let setID = stored.setID else { continue }
            let phase: LivePayment.Phase
            switch stored.state {
            case .accepted: phase = .accepted(setID, since: time)
            case .settleRequested: phase = .settled(setID)
            case .open, .settled, .canceled, .expired, .failed: continue
            }
            var payment = LivePayment(terms: stored.terms, preimage: nil, phase: phase)
            payment.isKnown = true
            adopt(stored, into: &payment)
            store(payment, stored.paymentHash)
        }
    }

    /// The store's answer to a look-up; `nil` if it knows nothing of the hash.
    public mutating func found(_ hash: PaymentHash, _ stored: StoredSet?, at time: UnixTime) -> [Order] {
        guard var payment = payments.removeValue(forKey: hash) else { return [] }
        var orders: [Order] = []
        payment.isLookingUp = false
        // While a change is on its way, its outcome will say the same with more certainty.
        if case .collecting = payment.phase {
            payment.isKnown = true
            reconcile(hash, &payment, with: stored, at: time, &orders)
        }
        store(payment, hash)
        return orders
    }

    /// The store told what became of a change.
    public mutating func persisted(_ id: ChangeID, _ outcome: ChangeOutcome, at time: UnixTime) -> [Order] {
        guard let hash = changes.removeValue(forKey: id), var payment = payments.removeValue(forKey: hash) else { return [] }
        var orders: [Order] = []
        if case .settled = payment.phase {
            // What is on its way after a settlement is resolutions.
            payment.unconfirmedResolutions -= 1
            store(payment, hash)
            return orders
        }
        payment.isWithdrawing = false
        switch outcome {
        case .applied, .repeated: confirmed(id, hash, &payment, at: time, &orders)
        case .refused(let stored): refused(id, hash, &payment, stored, at: time, &orders)
        case .withdrawn(let mayBeStored): withdrawn(id, hash, &payment, mayBeStored, at: time, &orders)
        }
        store(payment, hash)
        return orders
    }

    private mutating func confirmed(_ id: ChangeID, _ hash: PaymentHash, _ payment: inout LivePayment, at time: UnixTime, _ orders: inout [Order]) {
        switch payment.phase {
        case .accepting(id, let setID, settling: true), .requestingSettlement(id, let setID):
            settle(hash, &payment, setID, at: time, &orders)
            answer(&payment, settle: .done, settled: setID, cancel: .tooLate, &orders)
        case .accepting(id, let setID, settling: false):
            payment.phase = .accepted(setID, since: time)
            payment.isKnown = true
            for suspect in payment.suspects { fail(suspect, &orders) }
            payment.suspects = []
            // What happened while the set was on its way to the store.
            if payment.parts.contains(where: { $0.htlc.isOnChain || $0.resolution != nil || !Admission.hasTime($0.htlc, height: height, policy: policy) }) {
                letGoIfUndecided(hash, &payment, .released, at: time, &orders)
            }
            decideRequests(hash, &payment, at: time, &orders)
        case .releasing(id, _, let rejection):
            letGo(&payment, rejection, at: time, &orders)
            answer(&payment, settle: .tooLate, cancel: .notAccepted, &orders)
        case .voiding(.some(id), _):
            letGo(&payment, .released, at: time, &orders)
            answer(&payment, settle: .tooLate, cancel: .notAccepted, &orders)
        case .canceling(id, _):
            letGo(&payment, .released, at: time, &orders)
            answer(&payment, settle: .tooLate, cancel: .done, &orders)
        case .expiring(id):
            letGo(&payment, .notPayable, at: time, &orders)
            answer(&payment, settle: .tooLate, cancel: .tooLate, &orders)
        case .collecting, .accepting, .accepted, .requestingSettlement, .releasing, .voiding, .canceling, .expiring, .settled:
            break
        }
    }

    /// The store gave a decision back. What it may have kept of it is made impossible before a part is let go.
    private mutating func withdrawn(_ id: ChangeID, _ hash: PaymentHash, _ payment: inout LivePayment, _ mayBeStored: Bool, at time: UnixTime, _ orders: inout [Order]) {
        switch payment.phase {
        case .accepting(id, let setID, _) where mayBeStored, .requestingSettlement(id, let setID) where mayBeStored:
            void(hash, &payment, setID, at: time, &orders)
        case .accepting(id, _, _):
            payment.phase = .collecting(since: time)
            for part in payment.parts where part.isAttached { countIncomplete(part.htlc, 1) }
            letGoIfUndecided(hash, &payment, .released, at: time, &orders)
            decideRequests(hash, &payment, at: time, &orders)
        case .requestingSettlement(id, let setID):
            payment.phase = .accepted(setID, since: time)
            letGoIfUndecided(hash, &payment, .released, at: time, &orders)
        case .collecting, .accepting, .accepted, .requestingSettlement, .releasing, .voiding, .canceling, .expiring, .settled:
            break
        }
    }

    private mutating func decideRequests(_ hash: PaymentHash, _ payment: inout LivePayment, at time: UnixTime, _ orders: inout [Order]) {
        let requests = payment.requests
        payment.requests = []
        for request in requests { decide(request, hash, &payment, at: time, &orders) }
    }

    /// Ends a set that the store has let go: nothing of it is left that could be settled.
    private mutating func letGo(_ payment: inout LivePayment, _ rejection: Rejection, at time: UnixTime, _ orders: inout [Order]) {
        failParts(of: &payment, rejection, &orders)
        for suspect in payment.suspects { fail(suspect, &orders) }
        payment.suspects = []
        payment.phase = .collecting(since: time)
        payment.isKnown = false
    }

    private mutating func refused(_ id: ChangeID, _ hash: PaymentHash, _ payment: inout LivePayment, _ stored: StoredSet?, at time: UnixTime, _ orders: inout [Order]) {
        switch payment.phase {
        case .voiding(.some(id), let setID) where stored.map { $0.state == .open || $0.state == .accepted } ?? true:
            // Not a decision against it: the store could not take it. It is tried again at the next block.
            payment.phase = .voiding(nil, setID)
        case .requestingSettlement(id, let setID) where stored?.state == .accepted && stored?.setID == setID:
            // The same: the set is held as before, and nobody can settle it.
            withdrawn(id, hash, &payment, false, at: time, &orders)
        case .accepting(id, _, _), .requestingSettlement(id, _), .releasing(id, _, _), .voiding(.some(id), _), .canceling(id, _), .expiring(id):
            let requests = payment.requests
            payment.requests = []
            // Nothing of the change is in the store, so the parts are free unless the store settled them before.
            payment.phase = .collecting(since: time)
            for part in payment.parts {
                payment.suspects.append(.init(htlc: part.htlc, rejection: .notPayable, receivedHeight: part.receivedHeight))
                if part.isAttached { countIncomplete(part.htlc, 1) }
            }
            reconcile(hash, &payment, with: stored, at: time, &orders)
            for request in requests { orders.append(.reply(request.id, reply(to: request, knowing: stored))) }
        case .collecting, .accepting, .accepted, .requestingSettlement, .releasing, .voiding, .canceling, .expiring, .settled:
            break
        }
    }

    private func reply(to request: LivePayment.Request, knowing stored: StoredSet?) -> Reply {
        guard let stored else { return .unknownInvoice }
        switch (request.wish, stored.state) {
        case (.cancel, .canceled): return .done
        case (.settle, .settleRequested), (.settle, .settled):
            return request.setID == nil || request.setID == stored.setID ? .done : .otherSet
        case (_, .open): return .notAccepted
        case (_, .accepted): return .otherSet
        case (_, .settleRequested), (_, .settled), (_, .canceled), (_, .expired), (_, .failed): return .tooLate
        }
    }

    /// Judges what is held in the light of what the store knows.
    private mutating func reconcile(_ hash: PaymentHash, _ payment: inout LivePayment, with stored: StoredSet?, at time: UnixTime, _ orders: inout [Order]) {
        guard let stored, stored.state != .open else {
            let suspects = payment.suspects
            payment.suspects = []
            for suspect in suspects {
                if let index = payment.index(of: suspect.htlc.circuitKey) { remove(index, from: &payment) }
                fail(suspect, &orders)
            }
            return
        }
        let offered = payment.parts.filter(\.isAttached).map(\.htlc) + payment.suspects.map(\.htlc)
        let heights = Dictionary(
            payment.parts.map { ($0.htlc.circuitKey, $0.receivedHeight) } + payment.suspects.map { ($0.htlc.circuitKey, $0.receivedHeight) },
            uniquingKeysWith: { first, _ in first })
        let ended = payment.parts.filter { $0.resolution != nil }
        // Of what the store does not explain, what was wrong with it in the first place.
        let rejections = Dictionary(payment.suspects.map { ($0.htlc.circuitKey, $0.rejection) }) { first, _ in first }
        while !payment.parts.isEmpty { remove(payment.parts.count - 1, from: &payment) }
        payment.suspects = []
        let settledKeys = stored.state.isReleased ? Set(stored.htlcs.map(\.held.circuitKey)) : []
        var answered: Set<CircuitKey> = []
        for htlc in offered where answered.insert(htlc.circuitKey).inserted {
            if settledKeys.contains(htlc.circuitKey), let preimage = payment.preimage {
                orders.append(.settle(htlc.circuitKey, preimage))
            } else {
                let rejection = rejections[htlc.circuitKey] ?? .notPayable
                fail(.init(htlc: htlc, rejection: rejection, receivedHeight: heights[htlc.circuitKey] ?? height), &orders)
            }
        }
        if stored.state == .settleRequested, let setID = stored.setID {
            payment.phase = .settled(setID)
            payment.isKnown = true
            adopt(stored, into: &payment)
            for index in payment.parts.indices where answered.contains(payment.parts[index].htlc.circuitKey) { payment.parts[index].isAttached = true }
            for part in ended {
                guard let index = payment.index(of: part.htlc.circuitKey), payment.parts[index].resolution == nil else { continue }
                payment.parts[index].resolution = part.resolution
            }
            resolve(hash, &payment, at: time, &orders)
        }
    }

    /// Takes over the stored HTLCs as parts that are waiting to be offered again.
    private mutating func adopt(_ stored: StoredSet, into payment: inout LivePayment) {
        payment.terms = stored.terms
        payment.note = stored.note
        for htlc in stored.htlcs {
            payment.parts.append(.init(
                htlc: htlc.held, isAttached: false, receivedHeight: height, resolution: htlc.resolution, isResolved: htlc.resolution != nil))
            hashes[htlc.held.circuitKey] = stored.paymentHash
        }
    }

    /// `settled` is the set that was; whoever meant another one is told so.
    private func answer(_ payment: inout LivePayment, settle: Reply, settled: SetID? = nil, cancel: Reply, _ orders: inout [Order]) {
        for request in payment.requests {
            let isOther = settled != nil && request.setID != nil && request.setID != settled
            orders.append(.reply(request.id, request.wish == .cancel ? cancel : isOther ? .otherSet : settle))
        }
        payment.requests = []
    }
}
