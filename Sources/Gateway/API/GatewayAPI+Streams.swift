internal import Delivery
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
    static let longestWait: Int64 = 60

    /// A page of the key's events, now or when there are some, or the stream of them.
    func events(_ exchange: Exchange, _ account: Int64) {
        guard let types = eventTypes(exchange.request.query["type"]) else { return exchange.refuse(.invalidQuery("type")) }
        guard let position = position(exchange) else { return exchange.refuse(.invalidQuery("after")) }
        guard let limit = exchange.number("limit", default: Self.defaultPage, in: 1...Self.maximumPage) else {
            return exchange.refuse(.invalidQuery("limit"))
        }
        guard let seconds = exchange.number("wait", default: 0, in: 0...Self.longestWait) else { return exchange.refuse(.invalidQuery("wait")) }
        guard let epoch = gateway.epoch else { return exchange.refuse(.unavailable) }
        exchange.epoch = epoch
        guard isOfThisEpoch(exchange) else { return exchange.refuse(.epochChanged(epoch)) }
        let filter = EventFilter(account: account, types: types)
        isReached(position) { [self] isReached in
            switch isReached {
            case nil: exchange.refuse(.unavailable)
            case false?: exchange.refuse(.beyondHead(position.field))
            case true? where exchange.request.headers.acceptsEventStream: resume(exchange, after: position.offset, filter)
            case true?:
                let page = Page(after: position.offset, limit: Int(limit), isPolled: exchange.request.query["wait"] != nil)
                events(exchange, page, filter, seconds: seconds)
            }
        }
    }

    /// A page that was asked for.
    private struct Page {
        var after: Int64
        var limit: Int
        /// Whoever polls goes on from each page, an empty one too.
        var isPolled: Bool
    }

    private func events(_ exchange: Exchange, _ page: Page, _ filter: EventFilter, seconds: Int64) {
        gateway.pages.read(filter, after: page.after, limit: page.limit) { [self] result in
            guard case .success(let past) = result else { return exchange.refuse(.unavailable) }
            if Self.isGone(page.after, first: past.first) { return exchange.refuse(.offsetGone(first: past.first)) }
            let events = past.events
            guard events.isEmpty, seconds > 0 else { return Self.answer(exchange, page, events) }
            _ = LongPoll(exchange, streams, gateway.history, after: page.after, filter, seconds: seconds, until: { _ in true }) { events in
                Self.answer(exchange, page, Array(events.prefix(page.limit)))
            }
        }
    }

    private static func answer(_ exchange: Exchange, _ page: Page, _ events: [PublishedEvent]) {
        var json = JSONWriter()
        json.object { json in
            json.array("events") { json in
                for event in events { json.raw(EventCodec.object(event)) }
            }
            let last = events.last?.offset
            json.field("next", page.isPolled ? last ?? page.after : events.count == page.limit ? last : nil)
        }
        exchange.respond(json.bytes)
    }

    /// A reader who has seen something must not be led past what he has missed. Zero is no place where somebody was: it
    /// asks for all that is kept.
    private static func isGone(_ after: Int64, first: Int64) -> Bool { after > 0 && after < first - 1 }

    /// Begins the stream, or refuses while there still is a status to say it with.
    func resume(_ exchange: Exchange, after: Int64, _ filter: EventFilter) {
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
        guard let owner = exchange.owner else { return exchange.refuse(.unauthorized) }
        if let refusal = streams.refusal(for: owner) { return exchange.refuse(refusal) }
        let stream = exchange.stream()
        guard stream.isOpen else { return }
        var opened: EventFeed?
        let finish: @LoopActor () -> Void = { [self] in
            if let feed = opened { streams.remove(feed) }
            opened = nil
        }
        let epoch = exchange.epoch.map { ": epoch \($0)\n" } ?? ""
        stream.send(Array((epoch + "retry: 1000\n\n").utf8))
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
        streams.add(feed, of: owner, right: exchange.caller?.credentials) {
            finish()
            // Not all of them at the same moment.
            stream.send(Array("retry: \(Int.random(in: 1000...5000))\n\n".utf8))
            stream.close()
        }
        stream.onClose = finish
        feed.start()
    }

    private static func append(_ event: PublishedEvent, to bytes: inout [UInt8]) {
        bytes += "id: \(event.offset)\nevent: \(event.type.rawValue)\ndata: ".utf8
        bytes += EventCodec.object(event)
        bytes += "\n\n".utf8
    }

    /// Where a reader says it has stopped, and how it said so.
    struct Position {
        var offset: Int64
        var field: String
    }

    /// `Last-Event-ID` beats `after`: it is what a browser sends by itself when it comes back.
    func position(_ exchange: Exchange) -> Position? {
        guard let text = exchange.request.headers.lastEventID, !text.isEmpty else {
            return exchange.number("after", default: 0, in: 0...Int64.max).map { Position(offset: $0, field: "after") }
        }
        guard let offset = Exchange.number(text, in: 0...Int64.max) else { return nil }
        return Position(offset: offset, field: "Last-Event-ID")
    }

    /// Whether the epoch that the reader names, if it names one, is the present one.
    func isOfThisEpoch(_ exchange: Exchange) -> Bool {
        guard let known = exchange.request.query["epoch"], !known.isEmpty else { return true }
        return known == gateway.epoch
    }

    /// Whether the stream has come so far; `nil` if the store cannot say. A position beyond its end is one of another stream,
    /// of a database before it was restored perhaps, and a reader that waited there would hear nothing for long.
    func isReached(_ position: Position, _ done: @escaping @LoopActor (Bool?) -> Void) {
        // What was published is not all that was committed: a page may have told more.
        guard position.offset > gateway.head else { return done(true) }
        ledger.stream { result in
            switch result {
            case .success(let stream): done(position.offset <= stream.head)
            case .failure: done(nil)
            }
        }
    }

    /// Names with commas between them; `invoice.*` stands for all that begin with it. `nil` if one is unknown.
    private func eventTypes(_ text: String?) -> [EventType]? {
        guard let text, !text.isEmpty else { return [] }
        let names = text.split(separator: ",").map(String.init)
        guard !names.isEmpty, names.allSatisfy({ $0 != "*" && EventSelection.isKnown($0) }) else { return nil }
        // In one order, so that all who ask for the same share what is read for them.
        return EventSelection(stored: names).types
    }
}
