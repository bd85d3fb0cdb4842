// What follows from a fact: completing a set, letting it go, recording how it ended.
extension PaymentMachine {
    /// Hands a complete set to the store. Every part must be answerable and have time left.
    mutating func completeIfPossible(_ hash: PaymentHash, _ payment: inout LivePayment, at time: UnixTime, _ orders: inout [Order]) {
        guard case .collecting = payment.phase, let total = payment.parts.first?.htlc.total, payment.received >= total else { return }
        let htlcs = payment.parts.map(\.htlc)
        guard payment.parts.allSatisfy({ $0.isAttached && Admission.hasTime($0.htlc, height: height, policy: policy) }) else { return }
        let set = AcceptedSet(paymentHash: hash, setID: SetID(of: htlcs.lazy.map(\.circuitKey), by: Hash.self), terms: payment.terms, htlcs: htlcs, note: payment.note)
        let settling = payment.terms.settlement == .auto ? payment.preimage : nil
        var events = htlcs.map { htlcEvent(.htlcAccepted, hash, set.setID, $0) }
        events.append(invoiceEvent(.invoiceAccepted, payment, hash, set.setID))
        if settling != nil { events.append(invoiceEvent(.invoiceSettleRequested, payment, hash, set.setID)) }
        for part in payment.parts { countIncomplete(part.htlc, -1) }
        let id = persist(.accept(set, settling: settling), events, hash, at: time, &orders)
        payment.phase = .accepting(id, set.setID, settling: settling != nil)
    }

    /// Lets an undecided set go; does nothing once a settlement was committed.
    ///
    /// A set that the store knows is released there first, and a decision that is on its way to it is taken back. Parts of
    /// which the store has not been heard wait for it: they may belong to an old settlement.
    mutating func letGoIfUndecided(_ hash: PaymentHash, _ payment: inout LivePayment, _ rejection: Rejection, at time: UnixTime, _ orders: inout [Order]) {
        switch payment.phase {
        case .collecting:
            if payment.isKnown { return failParts(of: &payment, rejection, &orders) }
            payment.suspects += payment.parts.filter { $0.isAttached && $0.resolution == nil }.map {
                .init(htlc: $0.htlc, rejection: rejection, receivedHeight: $0.receivedHeight)
            }
            while !payment.parts.isEmpty { remove(payment.parts.count - 1, from: &payment) }
            lookUp(hash, &payment, &orders)
        case .accepted(let setID, _):
            let id = persist(.release(hash, setID), released(hash, payment, setID), hash, at: time, &orders)
            payment.phase = .releasing(id, setID, rejection)
        case .accepting(let id, _, _), .requestingSettlement(let id, _):
            guard !payment.isWithdrawing else { return }
            payment.isWithdrawing = true
            orders.append(.withdraw(id))
        case .voiding(nil, let setID):
            void(hash, &payment, setID, at: time, &orders)
        case .releasing, .voiding, .canceling, .expiring, .settled:
            break
        }
    }

    /// Makes a set impossible whose settlement may have been committed or may be yet. If it had been, the refusal says so.
    mutating func void(_ hash: PaymentHash, _ payment: inout LivePayment, _ setID: SetID, at time: UnixTime, _ orders: inout [Order]) {
        let set = AcceptedSet(paymentHash: hash, setID: setID, terms: payment.terms, htlcs: payment.parts.map(\.htlc), note: payment.note)
        payment.phase = .voiding(persist(.void(set), released(hash, payment, setID), hash, at: time, &orders), setID)
    }

    /// One block before a node would answer by itself, a set that is being let go does not wait for the store any more:
    /// nothing can settle it between here and there.
    mutating func letGoAtDeadline(_ payment: inout LivePayment, _ orders: inout [Order]) {
        switch payment.phase {
        case .releasing(_, _, let rejection) where payment.isKnown && payment.parts.contains(where: { Int64($0.htlc.autoFailHeight) <= Int64(height) + 1 }):
            failParts(of: &payment, rejection, &orders)
        case .collecting, .accepting, .accepted, .requestingSettlement, .releasing, .voiding, .canceling, .expiring, .settled:
            break
        }
    }

    /// Fails every part and forgets it; on-chain parts are left alone, since the node takes only a settlement for them.
    mutating func failParts(of payment: inout LivePayment, _ rejection: Rejection, _ orders: inout [Order]) {
        for part in payment.parts {
            if case .collecting = payment.phase, part.isAttached { countIncomplete(part.htlc, -1) }
            hashes[part.htlc.circuitKey] = nil
            if part.isAttached, part.resolution == nil {
                fail(.init(htlc: part.htlc, rejection: rejection, receivedHeight: part.receivedHeight), &orders)
            }
        }
        payment.parts = []
    }

    func fail(_ suspect: LivePayment.Suspect, _ orders: inout [Order]) {
        guard !suspect.htlc.isOnChain else { return }
        orders.append(.fail(suspect.htlc.circuitKey, suspect.rejection, amount: suspect.htlc.amount, height: suspect.receivedHeight))
    }

    /// The decision is durable: every part that can be answered is settled.
    mutating func settle(_ hash: PaymentHash, _ payment: inout LivePayment, _ setID: SetID, at time: UnixTime, _ orders: inout [Order]) {
        payment.phase = .settled(setID)
        payment.isKnown = true
        if let preimage = payment.preimage {
            for part in payment.parts where part.isAttached && part.resolution == nil {
                orders.append(.settle(part.htlc.circuitKey, preimage))
            }
        }
        for suspect in payment.suspects { fail(suspect, &orders) }
        payment.suspects = []
        resolve(hash, &payment, at: time, &orders)
    }

    /// Records the resolutions that have not been recorded; the last one concludes the invoice.
    mutating func resolve(_ hash: PaymentHash, _ payment: inout LivePayment, at time: UnixTime, _ orders: inout [Order]) {
        guard case .settled(let setID) = payment.phase else { return }
        for index in payment.parts.indices {
            guard let resolution = payment.parts[index].resolution, !payment.parts[index].isResolved else { continue }
            payment.parts[index].isResolved = true
            let part = payment.parts[index]
            var events = [
                resolution.isSettled ? htlcEvent(.htlcSettled, hash, setID, part.htlc) : htlcEvent(.htlcFailed, hash, setID, part.htlc, .lost)
            ]
            var conclusion: InvoiceState?
            if payment.parts.allSatisfy(\.isResolved) {
                let isPaid = payment.parts.allSatisfy { $0.resolution?.isSettled == true }
                conclusion = isPaid ? .settled : .failed
                events.append(invoiceEvent(isPaid ? .invoiceSettled : .invoiceFailed, payment, hash, setID))
            }
            payment.unconfirmedResolutions += 1
            persist(.resolve(hash, part.htlc.circuitKey, resolution, concludes: conclusion), events, hash, at: time, &orders)
        }
    }

    mutating func lookUp(_ hash: PaymentHash, _ payment: inout LivePayment, _ orders: inout [Order]) {
        guard !payment.isKnown, !payment.isLookingUp else { return }
        payment.isLookingUp = true
        orders.append(.lookUp(hash))
    }

    @discardableResult
    mutating func persist(_ step: Change.Step, _ events: [Event], _ hash: PaymentHash, at time: UnixTime, _ orders: inout [Order]) -> ChangeID {
        nextChange += 1
        let id = ChangeID(nextChange)
        changes[id] = hash
        orders.append(.persist(id, Change(step, events: events, time: time)))
        return id
    }

    /// Puts the payment back, or forgets it when nothing about it is open.
    mutating func store(_ payment: LivePayment, _ hash: PaymentHash) {
        switch payment.phase {
        case .collecting where payment.parts.isEmpty && payment.suspects.isEmpty && payment.requests.isEmpty:
            waiting.remove(hash)
            return
        case .settled where payment.unconfirmedResolutions == 0 && payment.parts.allSatisfy(\.isResolved) && payment.suspects.isEmpty:
            for part in payment.parts { hashes[part.htlc.circuitKey] = nil }
            return
        case .collecting, .accepted, .releasing:
            waiting.insert(hash)
        case .accepting, .requestingSettlement, .voiding, .canceling, .expiring, .settled:
            if !waiting.isEmpty { waiting.remove(hash) }
        }
        payments[hash] = payment
    }

    mutating func remove(_ index: Int, from payment: inout LivePayment) {
        let part = payment.parts.remove(at: index)
        if part.isAttached { countIncomplete(part.htlc, -1) }
        hashes[part.htlc.circuitKey] = nil
    }

    // MARK: The bound on incomplete sets

    mutating func countIncomplete(_ htlc: HeldHTLC, _ change: Int) {
        guard !htlc.isOnChain else { return }
        let count = (incomplete[htlc.circuitKey.node] ?? 0) + change
        incomplete[htlc.circuitKey.node] = count == 0 ? nil : count
    }

    /// Lets the oldest incomplete set on the node go when there are too many: slots are what an attacker fills.
    mutating func relieve(_ node: PublicKey, sparing newest: PaymentHash, at time: UnixTime, _ orders: inout [Order]) {
        guard (incomplete[node] ?? 0) > policy.maximumIncompletePerNode else { return }
        let oldest = waiting.compactMap { hash -> (UnixTime, PaymentHash)? in
            guard hash != newest, let payment = payments[hash], case .collecting(let since) = payment.phase,
                payment.parts.contains(where: { $0.htlc.circuitKey.node == node && $0.isAttached })
            else { return nil }
            return (since, hash)
        }.min { $0 < $1 }
        guard let (_, hash) = oldest, var payment = payments.removeValue(forKey: hash) else { return }
        letGoIfUndecided(hash, &payment, .overloaded, at: time, &orders)
        store(payment, hash)
    }

    // MARK: Events

    func htlcEvent(_ type: EventType, _ hash: PaymentHash, _ setID: SetID, _ htlc: HeldHTLC, _ reason: HTLCFailure? = nil) -> Event {
        Event(type, .htlc(.init(
            paymentHash: hash, setID: setID, circuitKey: htlc.circuitKey, amount: htlc.amount, fee: htlc.fee,
            expiryHeight: htlc.incomingExpiry, blocksLeft: Int64(htlc.autoFailHeight) - Int64(height), reason: reason)))
    }

    private func released(_ hash: PaymentHash, _ payment: LivePayment, _ setID: SetID) -> [Event] {
        payment.parts.map { htlcEvent(.htlcFailed, hash, setID, $0.htlc, .released) } + [invoiceEvent(.invoiceReleased, payment, hash, setID)]
    }

    func invoiceEvent(_ type: EventType, _ payment: LivePayment, _ hash: PaymentHash, _ setID: SetID?) -> Event {
        let received = payment.parts.reduce(Millisatoshis.zero) { $0 + $1.htlc.amount }
        return Event(type, .invoice(.init(
            paymentHash: hash, setID: setID, amount: payment.terms.amount, received: setID == nil ? nil : received,
            note: setID == nil ? nil : payment.note)))
    }
}
