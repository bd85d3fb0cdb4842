// Facts from people: somebody wants an invoice settled or canceled, or its time is over.
extension PaymentMachine {
    /// Somebody wants a held set settled. `setID` pins the set they saw; without it, whichever is accepted.
    public mutating func settlementRequested(_ id: RequestID, _ hash: PaymentHash, _ setID: SetID?, at time: UnixTime) -> [Order] {
        request(.init(id: id, wish: .settle, setID: setID), hash, at: time)
    }

    /// Somebody wants an invoice canceled, with or without a held set. A cancellation is final. `terms` are the stored
    /// ones, for when nothing of the payment is in memory.
    public mutating func cancellationRequested(_ id: RequestID, _ hash: PaymentHash, _ setID: SetID?, terms: InvoiceTerms, at time: UnixTime) -> [Order] {
        let request = LivePayment.Request(id: id, wish: .cancel, setID: setID)
        guard payments[hash] == nil else { return self.request(request, hash, at: time) }
        var orders: [Order] = []
        var payment = LivePayment(terms: terms, preimage: nil, phase: .collecting(since: time))
        cancel(request, hash, &payment, nil, at: time, &orders)
        store(payment, hash)
        return orders
    }

    /// A stored invoice is past its expiry. A set that is being collected or decided may still be finished.
    public mutating func expiryPassed(_ hash: PaymentHash, _ terms: InvoiceTerms, at time: UnixTime) -> [Order] {
        guard payments[hash] == nil else { return [] }
        var orders: [Order] = []
        var payment = LivePayment(terms: terms, preimage: nil, phase: .collecting(since: time))
        let id = persist(.expire(hash), [invoiceEvent(.invoiceExpired, payment, hash, nil)], hash, at: time, &orders)
        payment.phase = .expiring(id)
        store(payment, hash)
        return orders
    }

    private mutating func request(_ request: LivePayment.Request, _ hash: PaymentHash, at time: UnixTime) -> [Order] {
        guard var payment = payments.removeValue(forKey: hash) else { return [.reply(request.id, .notAccepted)] }
        var orders: [Order] = []
        decide(request, hash, &payment, at: time, &orders)
        store(payment, hash)
        return orders
    }

    mutating func decide(_ request: LivePayment.Request, _ hash: PaymentHash, _ payment: inout LivePayment, at time: UnixTime, _ orders: inout [Order]) {
        switch payment.phase {
        case .accepted(let setID, _):
            guard request.setID == nil || request.setID == setID else { return orders.append(.reply(request.id, .otherSet)) }
            switch request.wish {
            case .settle: requestSettlement(request, hash, &payment, setID, at: time, &orders)
            case .cancel: cancel(request, hash, &payment, setID, at: time, &orders)
            }
        case .collecting:
            switch request.wish {
            case .settle: orders.append(.reply(request.id, .notAccepted))
            case .cancel: cancel(request, hash, &payment, nil, at: time, &orders)
            }
        case .accepting, .requestingSettlement, .releasing, .voiding, .canceling, .expiring:
            payment.requests.append(request)
        case .settled(let setID):
            let isSame = request.setID == nil || request.setID == setID
            orders.append(.reply(request.id, request.wish == .cancel ? .tooLate : isSame ? .done : .otherSet))
        }
    }

    private mutating func requestSettlement(_ request: LivePayment.Request, _ hash: PaymentHash, _ payment: inout LivePayment, _ setID: SetID, at time: UnixTime, _ orders: inout [Order]) {
        guard payment.parts.allSatisfy({ $0.isAttached && $0.resolution == nil }), let preimage = payment.preimage else {
            return orders.append(.reply(request.id, .nodeAway))
        }
        guard payment.parts.allSatisfy({ Admission.hasTime($0.htlc, height: height, policy: policy) }) else {
            return orders.append(.reply(request.id, .tooLate))
        }
        let id = persist(.requestSettlement(hash, setID, preimage), [invoiceEvent(.invoiceSettleRequested, payment, hash, setID)], hash, at: time, &orders)
        payment.phase = .requestingSettlement(id, setID)
        payment.requests.append(request)
    }

    private mutating func cancel(_ request: LivePayment.Request, _ hash: PaymentHash, _ payment: inout LivePayment, _ setID: SetID?, at time: UnixTime, _ orders: inout [Order]) {
        var events = setID.map { setID in payment.parts.map { htlcEvent(.htlcFailed, hash, setID, $0.htlc, .canceled) } } ?? []
        events.append(invoiceEvent(.invoiceCanceled, payment, hash, setID))
        if case .collecting = payment.phase {
            for part in payment.parts where part.isAttached { countIncomplete(part.htlc, -1) }
        }
        let id = persist(.cancel(hash, setID), events, hash, at: time, &orders)
        payment.phase = .canceling(id, setID)
        payment.requests.append(request)
    }
}
