@testable import Gateway
import Ledger
import Loop
import Payments
import TestSupport
import Testing

@LoopActor
@Suite struct PublisherTests {
    private let reader = Reader()

    /// Runs the body with a publisher that hands on from the beginning.
    private func withPublisher(_ body: @LoopActor (Ledger, Publisher) async throws -> Void) async throws {
        try await withLedger { ledger in
            let publisher = Publisher(ledger: ledger, publish: reader.take)
            publisher.start(at: 0)
            try await body(ledger, publisher)
        }
    }

    @Test("what is committed in one turn is handed on together, in the order of the offsets")
    func order() async throws {
        try await withPublisher { ledger, publisher in
            let events = await ledger.tell(4)
            publisher.committed([events[2], events[3]])
            publisher.committed([events[1]])
            publisher.committed([events[0]])
            #expect(reader.batches.isEmpty)
            #expect(await eventually { reader.offsets.count == 4 })
            #expect(reader.batches == [events])
            #expect(publisher.head == 4)
        }
    }

    @Test("a missing offset is read from the store, and nothing after it is handed on before")
    func gap() async throws {
        try await withPublisher { ledger, publisher in
            let events = await ledger.tell(5)
            publisher.committed([events[4]])
            #expect(await eventually { reader.offsets.count == 5 })
            #expect(reader.events == events)
        }
    }

    @Test("an event is handed on once, however often and late it is told")
    func repeats() async throws {
        try await withPublisher { ledger, publisher in
            let events = await ledger.tell(3)
            publisher.committed(events + events)
            #expect(await eventually { reader.offsets.count == 3 })
            publisher.committed([events[0], events[2]])
            publisher.catchUp()
            await aWhile()
            #expect(reader.events == events)
        }
    }

    @Test("before the head is known nothing is handed on, and what lies before it never")
    func start() async throws {
        try await withLedger { ledger in
            let publisher = Publisher(ledger: ledger, publish: reader.take)
            let events = await ledger.tell(4)
            publisher.committed(events)
            publisher.heard(4, patiently: true)
            publisher.catchUp()
            await aWhile()
            #expect(reader.batches.isEmpty)
            publisher.start(at: 2)
            publisher.start(at: 0)
            publisher.catchUp()
            #expect(await eventually { reader.offsets.count == 2 })
            await aWhile()
            #expect(reader.offsets == [3, 4])
        }
    }

    @Test("what another process commits is handed on when the store tells of it")
    func heard() async throws {
        try await withPublisher { ledger, publisher in
            let events = await ledger.tell(3)
            publisher.heard(3, patiently: true)
            publisher.heard(3, patiently: true)
            #expect(await eventually { reader.offsets.count == 3 })
            publisher.heard(2, patiently: true)
            await aWhile()
            #expect(reader.batches == [events])
        }
    }

    @Test("a process that does not lead does not wait for answers: it asks when it hears, and once for many notifications")
    func heardWithoutPatience() async throws {
        try await withPublisher { ledger, publisher in
            let events = await ledger.tell(3)
            publisher.heard(1, patiently: false)
            publisher.heard(2, patiently: false)
            publisher.heard(3, patiently: false)
            // Nothing but the answer stands between the notification and the event: no timer runs.
            let isRead = await withCheckedContinuation { done in ledger.newest(after: 0, limit: 1) { _ in done.resume(returning: reader.events == events) } }
            #expect(isRead)
            #expect(reader.batches == [events])
        }
    }

    @Test("a long absence is read in pages until the stream is whole")
    func pages() async throws {
        try await withPublisher { ledger, publisher in
            let count = Int64(await ledger.tell(2_300).count)
            publisher.catchUp()
            #expect(await eventually { reader.offsets.count == 2_300 })
            #expect(reader.offsets == Array(1...count))
        }
    }

    @Test("in whatever order, with whatever losses and repeats commits are told, the stream is dense", arguments: 1...4 as ClosedRange<UInt64>)
    func dense(_ seed: UInt64) async throws {
        try await withPublisher { ledger, publisher in
            var random = SeededGenerator(seed: seed)
            var head: Int64 = 0
            for _ in 0..<12 {
                let events = await ledger.tell(Int.random(in: 1...20, using: &random))
                head = events.last?.offset ?? head
                for event in (events + events).shuffled(using: &random) where Int.random(in: 0..<3, using: &random) > 0 {
                    publisher.committed([event])
                    if Int.random(in: 0..<4, using: &random) == 0 { await Task.yield() }
                }
            }
            publisher.catchUp()
            #expect(await eventually { publisher.head == head })
            await aWhile()
            #expect(reader.offsets == Array(1...head))
        }
    }
}
