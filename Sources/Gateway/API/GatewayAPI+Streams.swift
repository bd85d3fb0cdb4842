internal import Edge
internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

// Server-sent events and pages of the log: the same objects with the same offsets.
extension GatewayAPI {
    private static let defaultPage: Int64 = 100
    private static let maximumPage: Int64 = 1000
    /// Shorter than what proxies and browsers wait for a byte.
    private static let keepAliveMilliseconds: UInt64 = 15_000

    /// A page of the key's events, or the stream of them.
    func events(_ exchange: Exchange, _ account: Int64) {
        guard let types = eventTypes(exchange.request.query["type"]) else { return exchange.refuse(.invalidQuery("type")) }
        guard let after = position(exchange) else { return exchange.refuse(.invalidQuery("after")) }
        let filter = EventFilter(account: account, types: types)
        if exchange.request.headers.acceptsEventStream { return resume(exchange, after: after, filter) }
        guard let limit = exchange.number("limit", default: Self.defaultPage, in: 1...Self.maximumPage) else {
            return exchange.refuse(.invalidQuery("limit"))
        }
        ledger.past(after: after, limit: Int(limit), account: account, types: types.isEmpty ? nil : types) { result in
            guard case .success(let page) = result else { return exchange.refuse(.unavailable) }
            if Self.isGone(after, first: page.first) { return exchange.refuse(.offsetGone(first: page.first)) }
            let events = page.events
            var json = JSONWriter()
            json.object { json in
                json.array("events") { json in
                    for event in events { json.raw(EventCodec.object(event)) }
                }
                json.field("next", events.count == Int(limit) ? events.last?.offset : nil)
            }
            exchange.respond(json.bytes)
        }
    }

    /// One invoice for whoever holds its watch token: as JSON, as a stream, or as a QR code.
    func watch(_ exchange: Exchange, _ token: String, _ form: Route.WatchForm) {
        guard let hash = watchTokens.paymentHash(of: token) else { return exchange.refuse(.unknownInvoice) }
        if form == .invoice, exchange.request.headers.acceptsEventStream {
            guard let after = position(exchange) else { return exchange.refuse(.invalidQuery("after")) }
            return resume(exchange, after: after, EventFilter(paymentHash: hash))
        }
        ledger.invoice(hash) { [self] result in
            guard case .success(let found) = result else { return exchange.refuse(.unavailable) }
            guard let record = found else { return exchange.refuse(.unknownInvoice) }
            switch form {
            case .invoice:
                exchange.respond(encode(record, showsPreimage: false))
            case .qrCode:
                guard !record.paymentRequest.isEmpty, let code = QRCode("LIGHTNING:" + record.paymentRequest.uppercased()) else { return exchange.refuse(.notFound) }
                exchange.respond(code.svg, contentType: "image/svg+xml")
            }
        }
    }

    /// A reader who has seen something must not be led past what he has missed. Zero is no place where somebody was: it
    /// asks for all that is kept.
    private static func isGone(_ after: Int64, first: Int64) -> Bool { after > 0 && after < first - 1 }

    /// Begins the stream, or refuses while there still is a status to say it with.
    private func resume(_ exchange: Exchange, after: Int64, _ filter: EventFilter) {
        guard after > 0 else { return stream(exchange, after: after, filter) }
        gateway.history.events(filter, after: after, limit: 1) { [self] result in
            switch result {
            case .failure: exchange.refuse(.unavailable)
            case .success(let past) where Self.isGone(after, first: past.first): exchange.refuse(.offsetGone(first: past.first))
            case .success: stream(exchange, after: after, filter)
            }
        }
    }

    private func stream(_ exchange: Exchange, after: Int64, _ filter: EventFilter) {
        let stream = exchange.stream()
        guard stream.isOpen else { return }
        var opened: EventFeed?
        var keepAlive: Timer?
        let finish: @LoopActor () -> Void = { [self] in
            keepAlive?.cancel()
            if let feed = opened { streams.remove(feed) }
            opened = nil
        }
        stream.send(Array("retry: 1000\n\n".utf8))
        let feed = EventFeed(history: gateway.history, after: after, filter: filter) { events in
            var bytes: [UInt8] = []
            for event in events { Self.append(event, to: &bytes) }
            if !stream.send(bytes) { finish() }
        } failed: { _ in
            // The reader comes back with the last id it saw.
            finish()
            stream.close()
        }
        opened = feed
        streams.add(feed)
        stream.onClose = finish
        keepAlive = Timer(afterMilliseconds: Self.keepAliveMilliseconds, repeats: Self.keepAliveMilliseconds) {
            stream.send(Array(": keep-alive\n\n".utf8))
        }
        feed.start()
    }

    private static func append(_ event: PublishedEvent, to bytes: inout [UInt8]) {
        bytes += "id: \(event.offset)\nevent: \(event.type.rawValue)\ndata: ".utf8
        bytes += EventCodec.object(event)
        bytes += "\n\n".utf8
    }

    /// `Last-Event-ID` beats `after`: it is what a browser sends by itself when it comes back.
    private func position(_ exchange: Exchange) -> Int64? {
        guard let text = exchange.request.headers.lastEventID, !text.isEmpty else {
            return exchange.number("after", default: 0, in: 0...Int64.max)
        }
        guard let offset = Int64(text), offset >= 0 else { return nil }
        return offset
    }

    /// Names with commas between them; `invoice.*` stands for all that begin with it. `nil` if one is unknown.
    private func eventTypes(_ text: String?) -> [EventType]? {
        guard let text, !text.isEmpty else { return [] }
        var types: [EventType] = []
        for name in text.split(separator: ",") {
            if name.hasSuffix(".*") {
                let matching = EventType.allCases.filter { $0.rawValue.hasPrefix(name.dropLast()) }
                guard !matching.isEmpty else { return nil }
                types += matching
            } else {
                let type = EventType(rawValue: String(name))
                guard EventType.allCases.contains(type) else { return nil }
                types.append(type)
            }
        }
        return types
    }
}
