internal import Edge
internal import Keys
internal import Loop
internal import Payments
internal import Wire

// One invoice for whoever holds its watch token: as JSON, as a stream, or as a QR code.
extension GatewayAPI {
    func watch(_ exchange: Exchange, _ token: String, _ form: Route.WatchForm) {
        guard let hash = watchTokens.paymentHash(of: token) else { return exchange.refuse(.unknownInvoice) }
        exchange.owner = .watchToken(hash)
        exchange.epoch = gateway.epoch
        if form == .invoice, exchange.request.headers.acceptsEventStream { return stream(exchange, hash) }
        guard let seconds = exchange.number("wait", default: 0, in: 0...Self.longestWait) else { return exchange.refuse(.invalidQuery("wait")) }
        let known = exchange.request.query["state"].flatMap(InvoiceState.init(rawValue:))
        guard known != nil || exchange.request.query["state"] == nil else { return exchange.refuse(.invalidQuery("state")) }
        present(exchange, hash) { [self] record, head in
            if form == .qrCode { return answerCode(exchange, record) }
            guard seconds > 0, record.state == known ?? record.state, !record.state.isOver else { return answer(exchange, record) }
            _ = LongPoll(
                exchange, streams, gateway.history, after: head, EventFilter(paymentHash: hash), seconds: seconds,
                until: { $0.contains { $0.type.rawValue.hasPrefix("invoice.") } }
            ) { [self] _ in present(exchange, hash) { [self] record, _ in answer(exchange, record) } }
        }
    }

    private func stream(_ exchange: Exchange, _ hash: PaymentHash) {
        guard let position = position(exchange) else { return exchange.refuse(.invalidQuery("after")) }
        // A browser can do nothing about a position of another stream. One invoice's life is short: it is told from its
        // beginning, and what is known already has the same ids.
        let filter = EventFilter(paymentHash: hash)
        guard isOfThisEpoch(exchange) else { return resume(exchange, after: 0, filter) }
        isReached(position) { [self] isReached in
            guard let isReached else { return exchange.refuse(.unavailable) }
            resume(exchange, after: isReached ? position.offset : 0, filter)
        }
    }

    /// The invoice as it is, and the offset of the last event that it certainly shows.
    private func present(_ exchange: Exchange, _ hash: PaymentHash, _ found: @escaping @LoopActor (InvoiceRecord, Int64) -> Void) {
        gateway.states.read(hash, of: nil) { result in
            guard case .success(let present) = result else { return exchange.refuse(.unavailable) }
            guard let record = present.record else { return exchange.refuse(.unknownInvoice) }
            found(record, present.head)
        }
    }

    private func answer(_ exchange: Exchange, _ record: InvoiceRecord) {
        exchange.respond(encode(record, showsPreimage: false))
    }

    private func answerCode(_ exchange: Exchange, _ record: InvoiceRecord) {
        guard !record.paymentRequest.isEmpty, let code = QRCode("LIGHTNING:" + record.paymentRequest.uppercased()) else { return exchange.refuse(.notFound) }
        exchange.respond(code.svg, contentType: "image/svg+xml")
    }
}
