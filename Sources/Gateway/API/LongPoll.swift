internal import Edge
internal import Loop
internal import Payments
internal import Wire

/// A request that is answered when something has happened, at the latest after a time.
@LoopActor
final class LongPoll {
    private let streams: OpenStreams
    private var feed: EventFeed?
    private var timer: Timer?
    private var answer: (@LoopActor ([PublishedEvent]) -> Void)?

    /// Waits for events of the filter after `cursor` that are `wanted`. `answer` gets them, or nothing when the time is
    /// over, and runs once, unless the client goes away or is refused here. `nil`: it was refused.
    init?(
        _ exchange: Exchange, _ streams: OpenStreams, _ history: EventHistory, after cursor: Int64, _ filter: EventFilter, seconds: Int64,
        until wanted: @escaping @LoopActor ([PublishedEvent]) -> Bool, answer: @escaping @LoopActor ([PublishedEvent]) -> Void
    ) {
        self.streams = streams
        guard let owner = exchange.owner else { return nil }
        if let refusal = streams.refusal(for: owner) {
            exchange.refuse(refusal)
            return nil
        }
        self.answer = answer
        let feed = EventFeed(history: history, after: cursor, filter: filter) { [self] events in
            if wanted(events) { end(events) }
        } failed: { [self] _ in
            close()
            exchange.refuse(.unavailable)
        }
        self.feed = feed
        streams.add(feed, of: owner, right: exchange.caller?.credentials) { [self] in
            end()
        } expel: { [self] problem in
            close()
            exchange.refuse(problem)
        }
        timer = Timer(afterMilliseconds: UInt64(seconds) * 1000) { [self] in end() }
        exchange.whenClosed { [self] in close() }
        feed.start()
    }

    /// Answers now.
    func end(_ events: [PublishedEvent] = []) {
        let answer = answer
        close()
        answer?(events)
    }

    private func close() {
        answer = nil
        timer?.cancel()
        timer = nil
        if let feed { streams.remove(feed) }
        feed = nil
    }
}
