@testable import Gateway
import Ledger
import Loop
import Payments
import Testing

@LoopActor
@Suite struct EventFeedTests {
    private let reader = Reader()

    /// Everything that is stored was told, and nothing of it is at hand.
    private func history(_ ledger: Ledger) async -> EventHistory {
        let history = EventHistory(ledger: ledger) {}
        history.start(at: await ledger.head(), [])
        return history
    }

    private func feed(_ ledger: Ledger, after cursor: Int64 = 0, _ filter: EventFilter = .init()) async -> EventFeed {
        EventFeed(history: await history(ledger), after: cursor, filter: filter, deliver: reader.take, failed: reader.fail)
    }

    @Test("a reader gets what came after its cursor, then what is published")
    func pastAndLive() async throws {
        try await withLedger { ledger in
            let past = await ledger.tell(5)
            let feed = await feed(ledger, after: 2)
            feed.start()
            #expect(await eventually { feed.isLive })
            #expect(reader.events == Array(past.dropFirst(2)))
            let live = await ledger.tell(2)
            feed.published(live)
            #expect(reader.events == Array(past.dropFirst(2)) + live)
        }
    }

    @Test("what is published while the past is read comes after it, and once")
    func overlap() async throws {
        try await withLedger { ledger in
            let past = await ledger.tell(5)
            let feed = await feed(ledger)
            feed.start()
            feed.published(Array(past.suffix(2)))
            async let more = ledger.tell(3)
            feed.published(await more)
            #expect(await eventually { feed.isLive && reader.offsets.count == 8 })
            feed.published(past)
            #expect(reader.offsets == Array(1...8))
        }
    }

    @Test("a long past is read in pages, without a gap and without repeating")
    func pages() async throws {
        try await withLedger { ledger in
            let past = await ledger.tell(1_203)
            let feed = await feed(ledger)
            feed.start()
            feed.published(Array(past.suffix(100)))
            #expect(await eventually { feed.isLive })
            #expect(reader.events == past)
        }
    }

    @Test("what gathers beyond the limit while the past is read is read again from the store")
    func overflow() async throws {
        try await withLedger { ledger in
            let events = await ledger.tell(60)
            let feed = await feed(ledger, after: 10)
            // They only fill the room: the store has another event at their offset.
            let filling = (0..<5_000).map { index in
                PublishedEvent(
                    offset: 11, id: "evt_\(index)", type: .nodeConnected, account: 1, paymentHash: nil, time: UnixTime(seconds: 0), data: "{}")
            }
            feed.start()
            feed.published(filling)
            feed.published(Array(events.suffix(1)))
            #expect(await eventually { feed.isLive })
            #expect(reader.events == Array(events.suffix(50)))
        }
    }

    @Test("the filter holds for the past and for what is published")
    func filter() async throws {
        try await withLedger { ledger in
            let mine = await ledger.tell(4, account: 7)
            let others = await ledger.tell(4, account: 8)
            let feed = await feed(ledger, EventFilter(account: 7, types: [.nodeDisconnected]))
            feed.start()
            #expect(await eventually { feed.isLive })
            #expect(reader.offsets == [2, 4])
            let live = await ledger.tell(2, account: 7)
            feed.published(others + live)
            #expect(reader.offsets == [2, 4, 10])
            #expect(mine.count == 4)
        }
    }

    @Test("a closed feed delivers nothing more, not even what it was reading")
    func closed() async throws {
        try await withLedger { ledger in
            let past = await ledger.tell(3)
            let feed = await feed(ledger)
            feed.start()
            feed.close()
            feed.published(past)
            await aWhile()
            #expect(reader.batches.isEmpty)
            #expect(reader.failures.isEmpty)
        }
    }

    @Test("a reader that closes the feed while it is told gets nothing more")
    func closedWhileTold() async throws {
        try await withLedger { ledger in
            _ = await ledger.tell(700)
            var feed: EventFeed?
            feed = EventFeed(
                history: await history(ledger), after: 0, filter: .init(),
                deliver: { [reader] events in
                    reader.take(events)
                    feed?.close()
                },
                failed: reader.fail)
            feed?.start()
            #expect(await eventually { !reader.batches.isEmpty })
            await aWhile()
            #expect(reader.batches.count == 1)
            feed = nil
        }
    }

    @Test("when the store is away the reader is told so once, and gets nothing more")
    func unavailable() async throws {
        try await withLedger { ledger in
            let events = await ledger.tell(2)
            let feed = await feed(ledger)
            ledger.close()
            feed.start()
            #expect(await eventually { !reader.failures.isEmpty })
            feed.published(events)
            #expect(reader.failures == [.unavailable])
            #expect(reader.batches.isEmpty)
        }
    }
}
