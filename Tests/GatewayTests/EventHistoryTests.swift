@testable import Gateway
import Ledger
import Loop
import Payments
import Testing
import Wire

@LoopActor
@Suite struct EventHistoryTests {
    @LoopActor
    private final class Questions {
        var count = 0
    }

    private let questions = Questions()

    private func history(_ ledger: Ledger, at head: Int64, _ recent: [PublishedEvent] = []) -> EventHistory {
        let history = EventHistory(ledger: ledger, memorySeconds: 600) { [questions] in questions.count += 1 }
        history.start(at: head, recent)
        return history
    }

    private func events(_ history: EventHistory, after: Int64, limit: Int = 500, _ filter: EventFilter = .init()) async -> PastEvents? {
        await withCheckedContinuation { done in history.events(filter, after: after, limit: limit) { done.resume(returning: try? $0.get()) } }
    }

    private func event(_ offset: Int64, _ hash: PaymentHash? = nil) -> PublishedEvent {
        PublishedEvent(
            offset: offset, id: "evt_\(offset)", type: .htlcFailed, account: 1, paymentHash: hash, time: UnixTime(seconds: 0), data: "{}")
    }

    @Test("all who ask for the same stretch share one question, wherever in it they are")
    func shared() async throws {
        try await withLedger { ledger in
            let past = await ledger.tell(1_000)
            let history = history(ledger, at: 1_000)
            let reader = Reader()
            for after in (0..<2_000).map({ Int64($0 % 500) }) {
                history.events(.init(), after: after, limit: 500) { result in
                    guard case .success(let found) = result else { return reader.fail(.unavailable) }
                    #expect(found.events == Array(past[Int(after)..<Int(after) + 500]))
                    #expect(found.publications == Publications(found.events))
                    reader.take([past[0]])
                }
            }
            #expect(await eventually { reader.batches.count == 2_000 })
            #expect(questions.count == 1)
            // And so do those who come a little later.
            _ = await events(history, after: 77)
            #expect(questions.count == 1)
        }
    }

    @Test("what is recent costs no question, and what was published since is in the answer")
    func recent() async throws {
        try await withLedger { ledger in
            let past = await ledger.tell(40)
            let history = history(ledger, at: 30, Array(past[10..<30]))
            #expect(await events(history, after: 12)?.events == Array(past[12..<30]))
            history.published(Array(past[30..<40]))
            let answer = try #require(await events(history, after: 12))
            #expect(answer.events == Array(past[12..<40]))
            #expect(answer.head == 40 && answer.publications == Publications(answer.events))
            #expect(await events(history, after: 40)?.events.isEmpty == true)
            #expect(questions.count == 0)
            // Beyond the memory.
            #expect(await events(history, after: 3)?.events == Array(past[3..<40]))
            #expect(questions.count == 1)
        }
    }

    @Test("an answer that was asked for before something was published has it, for those who join in too")
    func meanwhile() async throws {
        try await withLedger { ledger in
            let past = await ledger.tell(20)
            let history = history(ledger, at: 20)
            var answers: [PastEvents] = []
            let keep: EventHistory.Answer = { result in if case .success(let found) = result { answers.append(found) } }
            history.events(.init(), after: 1, limit: 500, keep)
            // The store has not seen it when it was asked.
            let more = [event(21)]
            history.published(more)
            history.events(.init(), after: 2, limit: 500, keep)
            #expect(await eventually { answers.count == 2 })
            #expect(answers.map(\.events) == [Array(past[1...]) + more, Array(past[2...]) + more])
            #expect(answers.map(\.head) == [21, 21])
        }
    }

    @Test("filters keep their pages apart, and pages end at the limit")
    func filters() async throws {
        try await withLedger { ledger in
            let mine = await ledger.tell(10, account: 7)
            _ = await ledger.tell(10, account: 8)
            let history = history(ledger, at: 20)
            #expect(await events(history, after: 4, EventFilter(account: 7))?.events == Array(mine[4...]))
            #expect(await events(history, after: 4, limit: 2, EventFilter(account: 7))?.events == Array(mine[4..<6]))
            let connected = EventFilter(account: 7, types: [.nodeConnected])
            #expect(await events(history, after: 0, connected)?.events == mine.filter { $0.type == .nodeConnected })
        }
    }

    @Test("invoices of many clients are asked for together, and recent ones not at all")
    func invoices() async throws {
        try await withLedger { ledger in
            let hashes = (0..<1_500).map { number in
                PaymentHash(Bytes32((0..<32).map { UInt8(truncatingIfNeeded: $0 < 2 ? number >> (8 * $0) : 9) })!)
            }
            let told = await ledger.tell(about: hashes + hashes)
            let history = history(ledger, at: 3_000)
            let published = await ledger.tell(about: [hashes[1_499]])
            let expected = Dictionary(grouping: told + published) { $0.paymentHash! }
            let reader = Reader()
            for (number, hash) in hashes.enumerated() {
                history.events(EventFilter(paymentHash: hash), after: Int64(number % 3), limit: 500) { result in
                    guard case .success(let found) = result else { return reader.fail(.unavailable) }
                    #expect(found.events == expected[hash]?.filter { $0.offset > Int64(number % 3) })
                    reader.take([told[0]])
                }
            }
            history.published(published)
            #expect(await eventually { reader.batches.count == 1_500 })
            #expect(questions.count == 2)
            let recent = try #require(await events(history, after: 3_000, EventFilter(paymentHash: hashes[1_499])))
            #expect(recent.events == published && recent.head == 3_001)
            #expect(await events(history, after: 3_000, EventFilter(account: 9, paymentHash: hashes[1_499]))?.events.isEmpty == true)
            #expect(questions.count == 2)
        }
    }

    @Test("who was served by a process that is ahead has lost nothing; an offset that never was is told from that")
    func ahead() async throws {
        try await withLedger { ledger in
            _ = await ledger.tell(10)
            let history = history(ledger, at: 4)
            #expect(await events(history, after: 9)?.head == 9)
            #expect(await events(history, after: 900)?.head == 10)
        }
    }

    @Test("memory forgets the oldest, of invoices too")
    func forgets() async throws {
        try await withLedger { ledger in
            let history = history(ledger, at: 0)
            let hash = PaymentHash(Bytes32(repeatElement(1, count: 32))!)
            let told = await ledger.tell(about: [hash])
            history.published(told)
            let filler = (0..<EventHistory.recentEvents).map { event($0 + 2) }
            history.published(filler)
            #expect(await events(history, after: 0, EventFilter(paymentHash: hash))?.events == told)
            #expect(questions.count == 1)
            #expect(await events(history, after: 1, EventFilter(paymentHash: hash))?.events.isEmpty == true)
            #expect(questions.count == 1)
        }
    }

    @Test("without the store it says so, and before the head is known too")
    func away() async throws {
        try await withLedger { ledger in
            _ = await ledger.tell(3)
            let early = EventHistory(ledger: ledger) {}
            #expect(await events(early, after: 0) == nil)
            let history = history(ledger, at: 3)
            ledger.close()
            #expect(await events(history, after: 0) == nil)
            #expect(await events(history, after: 0, EventFilter(paymentHash: PaymentHash(Bytes32()))) == nil)
        }
    }
}
