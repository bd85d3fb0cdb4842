@testable import Gateway
import Keys
import Ledger
import Loop
import Payments
import Testing
import Wire

@LoopActor
@Suite struct OpenStreamsTests {
    private static let hash = PaidInvoice().issued.paymentHash

    private func feed(_ ledger: Ledger, _ reader: Reader, _ filter: EventFilter = .init(), after cursor: Int64 = 0) -> EventFeed {
        let history = EventHistory(ledger: ledger) {}
        history.start(at: 0, [])
        return EventFeed(history: history, after: cursor, filter: filter, deliver: reader.take, failed: reader.fail)
    }

    private func event(_ offset: Int64, _ hash: PaymentHash?) -> PublishedEvent {
        PublishedEvent(offset: offset, id: "evt_\(offset)", type: .invoiceCreated, account: 1, paymentHash: hash, time: UnixTime(seconds: 1), data: "{}")
    }

    @Test("an event reaches those who wait for its invoice and those who want all, and nobody else")
    func published() async throws {
        try await withLedger { ledger in
            let streams = OpenStreams()
            let readers = [Reader(), Reader(), Reader()]
            let other = PaidInvoice(random: 4).issued.paymentHash
            let filters = [EventFilter(paymentHash: Self.hash), EventFilter(paymentHash: other), EventFilter()]
            for (reader, filter) in zip(readers, filters) {
                let feed = feed(ledger, reader, filter)
                streams.add(feed, of: .key("a")) {}
                feed.start()
                #expect(await eventually { feed.isLive })
            }
            streams.published([event(1, Self.hash), event(2, nil), event(3, other), event(4, Self.hash)])
            #expect(readers.map(\.offsets) == [[1, 4], [3], [1, 2, 3, 4]])
        }
    }

    @Test("each owner has its own limit, all together have one, and what ends frees its place once")
    func limits() async throws {
        try await withLedger { ledger in
            let streams = OpenStreams(limits: StreamLimits(total: 3, perKey: 2, perWatchToken: 1))
            let feeds = [feed(ledger, Reader()), feed(ledger, Reader(), EventFilter(paymentHash: Self.hash)), feed(ledger, Reader())]
            #expect(streams.refusal(for: .key("a")) == nil)
            streams.add(feeds[0], of: .key("a")) {}
            streams.add(feeds[1], of: .watchToken(Self.hash)) {}
            #expect(streams.refusal(for: .key("a")) == nil)
            #expect(streams.refusal(for: .watchToken(Self.hash)) == .tooManyStreams)
            streams.add(feeds[2], of: .key("a")) {}
            #expect(streams.refusal(for: .key("a")) == .tooManyStreams)
            #expect(streams.refusal(for: .key("b")) == .allStreamsTaken)
            for _ in 0..<2 { streams.remove(feeds[1]) }
            #expect(streams.count == 2)
            #expect(streams.refusal(for: .key("b")) == nil && streams.refusal(for: .watchToken(Self.hash)) == nil)
            #expect(streams.refusal(for: .key("a")) == .tooManyStreams)
        }
    }

    @Test("when all have to go each is told in its own way, and nobody new is let in")
    func endAll() async throws {
        try await withLedger { ledger in
            let streams = OpenStreams()
            var ended: [Int] = []
            let feeds = [feed(ledger, Reader()), feed(ledger, Reader(), EventFilter(paymentHash: Self.hash))]
            for (number, feed) in feeds.enumerated() {
                streams.add(feed, of: .key("a")) {
                    ended.append(number)
                    streams.remove(feed)
                }
            }
            streams.endAll()
            #expect(ended.sorted() == [0, 1] && streams.count == 0)
            #expect(streams.refusal(for: .key("b")) == .stopping)
        }
    }

    @Test("a process that ends answers its polls with what they came with and its streams with when to come back")
    func farewell() async throws {
        try await TestGateway.run { test in
            _ = try await test.create()
            let poll = test.begin("/v1/events?after=1&wait=60"), stream = test.begin("/v1/events", fields: ["Accept": "text/event-stream"])
            #expect(await eventually { test.api.streams.count == 2 && stream.text.contains("id: 1\n") })
            test.api.endStreams()
            let answer = await poll.answer()
            #expect(answer.status == 200)
            #expect(try answer.json["next"]?.integer == 1)
            #expect(await eventually { stream.isClosed })
            #expect(stream.text.split(separator: "\n").last?.hasPrefix("retry: ") == true)
            #expect(await test.ask("GET", "/v1/events?after=1&wait=60").problem == "stopping")
        }
    }
}
