internal import Bolt
internal import Edge
internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

extension GatewayAPI {
    func createInvoice(_ exchange: Exchange, _ caller: Caller) {
        let wanted: InvoiceRequest
        do throws(FieldError) {
            wanted = try InvoiceRequest(decoding: exchange.request.body)
        } catch {
            return exchange.refuse(.invalid(error))
        }
        let wish = InvoiceIssuer.Wish(
            amount: wanted.amount, description: wanted.description, expirySeconds: wanted.expirySeconds,
            settlement: wanted.settlement ?? gateway.settings.settlement, metadata: wanted.metadata, orderID: wanted.orderID,
            isStored: !wanted.isStateless)
        let maker = InvoiceMaker(keyID: caller.keyID, random: exchange.claim?.seed ?? SecureRandom.bytes32(), time: exchange.claim?.time)
        issue(wish, caller.account, by: maker, terms: wanted.searchTerms) { [self] result in
            switch result {
            case .success(let record):
                exchange.target = record.paymentHash.description
                // With a stateless one nothing has changed anywhere, and nothing is written.
                exchange.isAudited = record.terms.isStored
                // The invoice tells of itself that it was made; a second wait for the disk would halve what can be made.
                exchange.waitsForAudit = false
                exchange.respond(encode(record), status: 201)
            case .failure(let problem): exchange.refuse(problem)
            }
        }
    }

    /// The same for REST and gRPC. The answer comes when what is to be stored is.
    func issue(
        _ wish: InvoiceIssuer.Wish, _ account: Int64, by maker: InvoiceMaker, terms: [SearchTerm] = [],
        _ done: @escaping @LoopActor (Result<InvoiceRecord, Problem>) -> Void
    ) {
        let nodes = gateway.receivingNodes
        guard !nodes.isEmpty else { return done(.failure(.noReceivingNode)) }
        let record: InvoiceRecord
        do throws(Bolt11Draft.Failure) {
            record = try issuer.issue(wish, account: account, through: nodes, at: maker.time ?? gateway.now, random: maker.random)
        } catch {
            return done(.failure(.invalid(.invalid(field: "\(error)", "cannot be written as an invoice"))))
        }
        // The first attempt was too long ago for anybody to pay what this one would make; it may have made it itself.
        if maker.time != nil, record.terms.expiresAt <= gateway.now { return findMade(record, maker, .tooLate, done) }
        guard record.terms.isStored else { return done(.success(record)) }
        // A commit would wait for the store for as long as it takes; who asks for an invoice would not.
        guard case .connected = ledger.state else { return done(.failure(.unavailable)) }
        guard let keyID = maker.keyID, let limit = authenticator.openInvoiceLimit(of: keyID) else {
            return store(record, terms, isCounted: false, maker, done)
        }
        openInvoices.admit(record.paymentHash, of: keyID, limit: limit) { [self] result in
            switch result {
            case .failure: done(.failure(.unavailable))
            case .success(false): done(.failure(.tooManyOpenInvoices(limit)))
            case .success(true): store(record, terms, isCounted: true, maker, done)
            }
        }
    }

    private func store(
        _ record: InvoiceRecord, _ terms: [SearchTerm], isCounted: Bool, _ maker: InvoiceMaker,
        _ done: @escaping @LoopActor (Result<InvoiceRecord, Problem>) -> Void
    ) {
        let created = Event(.invoiceCreated, .invoice(.init(paymentHash: record.paymentHash, amount: record.terms.amount)))
        let change = Change(.create(record), events: [created], time: gateway.now)
        // As it will be read again: what is stored was created when the change was made, not in that second.
        var stored = record
        stored.createdAt = change.time
        let answer = stored
        let terms = terms.map { $0.number(by: LibCrypto.self) }
        let failed: @LoopActor () -> Void = { [self] in
            if isCounted { openInvoices.forget(record.paymentHash) }
            done(.failure(.unavailable))
        }
        gateway.commit(change, searchTerms: terms, failed: failed) { [self] outcome in
            switch outcome {
            case .applied: done(.success(answer))
            case .repeated, .refused: findMade(record, maker, .hashExists, done)
            case .withdrawn: failed()
            }
        }
    }

    /// An earlier attempt of the same claim has made it, perhaps when other nodes could receive.
    private func findMade(
        _ record: InvoiceRecord, _ maker: InvoiceMaker, _ refusal: Problem, _ done: @escaping @LoopActor (Result<InvoiceRecord, Problem>) -> Void
    ) {
        guard maker.time != nil else { return done(.failure(refusal)) }
        find(record.paymentHash, of: record.account) { result in
            switch result {
            case .failure(let problem): done(.failure(problem))
            case .success(nil): done(.failure(refusal))
            case .success(let stored?): done(.success(stored))
            }
        }
    }

    func showInvoice(_ exchange: Exchange, _ account: Int64, _ hash: PaymentHash) {
        find(exchange, account, hash) { [self] record in exchange.respond(encode(record)) }
    }

    /// Settling and canceling twice is the same as once; what has been decided otherwise is 409.
    func decide(_ exchange: Exchange, _ account: Int64, _ hash: PaymentHash, _ wish: PaymentGateway.Wish) {
        let setID: SetID?
        do throws(FieldError) {
            setID = try DecisionRequest(decoding: exchange.request.body).setID
        } catch {
            return exchange.refuse(.invalid(error))
        }
        gateway.decide(account, hash, wish, setID) { [self] outcome in
            switch outcome {
            case .success(let record): exchange.respond(encode(record))
            case .failure(let refusal): exchange.refuse(refusal.problem)
            }
        }
    }

    /// Answers when the invoice is settled or cannot be any more, at the latest after `timeout` seconds.
    func waitForInvoice(_ exchange: Exchange, _ account: Int64, _ hash: PaymentHash) {
        guard let timeout = exchange.number("timeout", default: 30, in: 0...120) else { return exchange.refuse(.invalidQuery("timeout")) }
        find(exchange, account, hash) { [self] record in
            if record.state.isOver || timeout == 0 { return answerWait(exchange, record) }
            let poll = LongPoll(
                exchange, streams, gateway.history, after: gateway.head, EventFilter(account: account, paymentHash: hash), seconds: timeout,
                until: { $0.contains(where: \.type.endsInvoice) }
            ) { [self] _ in find(exchange, account, hash) { [self] record in answerWait(exchange, record) } }
            // It may have ended between the look at it and the start of the poll.
            find(hash, of: account) { result in
                if case .success(let record?) = result, record.state.isOver { poll?.end() }
            }
        }
    }

    private func answerWait(_ exchange: Exchange, _ record: InvoiceRecord) {
        let status = switch record.state {
        case .settled: 200
        case .open, .accepted, .settleRequested: 402
        case .canceled, .expired, .failed: 410
        }
        exchange.respond(encode(record), status: status)
    }

    /// The account's invoice, or anybody's for `nil`, whatever the way in. Those who ask at the same time share a question to the store.
    func find(_ hash: PaymentHash, of account: Int64?, _ found: @escaping @LoopActor (Result<InvoiceRecord?, Problem>) -> Void) {
        lookUps.read(hash, of: account) { result in found(result.map(\.record).mapError { _ in .unavailable }) }
    }

    private func find(_ exchange: Exchange, _ account: Int64, _ hash: PaymentHash, _ found: @escaping @LoopActor (InvoiceRecord) -> Void) {
        find(hash, of: account) { result in
            switch result {
            case .failure(let problem): exchange.refuse(problem)
            case .success(nil): exchange.refuse(.unknownInvoice)
            case .success(let record?): found(record)
            }
        }
    }

    /// For holders of a key that may read invoices.
    func encode(_ record: InvoiceRecord, showsPreimage: Bool = true) -> [UInt8] {
        let token = watchTokens.token(for: record.paymentHash)
        return InvoiceCodec.encode(
            record, watchToken: token, checkoutURL: gateway.settings.publicURL + "/checkout/" + token, showsPreimage: showsPreimage)
    }
}

extension Problem {
    fileprivate static let hashExists = conflict("the payment hash exists")
    fileprivate static let tooLate = conflict("the invoice of the first request with this Idempotency-Key would have expired; use a new key")
}

extension InvoiceState {
    /// Nothing will change it any more.
    var isOver: Bool {
        switch self {
        case .open, .accepted, .settleRequested: false
        case .settled, .canceled, .expired, .failed: true
        }
    }
}

extension EventType {
    var endsInvoice: Bool {
        switch self {
        case .invoiceSettled, .invoiceCanceled, .invoiceExpired, .invoiceFailed: true
        case .invoiceCreated, .invoiceAccepted, .invoiceSettleRequested, .invoiceReleased, .htlcAccepted, .htlcSettled, .htlcFailed,
            .paymentCreated, .paymentSending, .paymentUnknown, .paymentSettled, .paymentFailed, .nodeConnected, .nodeDisconnected, .other: false
        }
    }
}
