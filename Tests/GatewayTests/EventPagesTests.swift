@testable import Gateway
import Ledger
import Loop
import Payments
import TestSupport
import Testing

@LoopActor
@Suite(.serialized) struct EventPagesTests {
    /// Counts the questions to the store.
    @LoopActor
    private final class Counted {
        let history: EventHistory
        let pages: EventPages
        private(set) var questions: () -> Int = { 0 }

        init(_ ledger: Ledger, publishing events: [PublishedEvent]) {
            var count = 0
            history = EventHistory(ledger: ledger) {}
            history.start(at: events.last?.offset ?? 0, events)
            pages = EventPages(ledger: ledger, history: history) { count += 1 }
            questions = { count }
        }

        func read(after: Int64, limit: Int) async -> [Int64]? {
            await withCheckedContinuation { done in
                pages.read(EventFilter(account: 1), after: after, limit: limit) { done.resume(returning: try? $0.get().events.map(\.offset)) }
            }
        }
    }

    @Test("a full page of what was published comes without a question, and the end of the log with one")
    func memory() async throws {
        try await withLedger { ledger in
            let counted = Counted(ledger, publishing: await ledger.tell(10))
            #expect(await counted.read(after: 2, limit: 3) == [3, 4, 5])
            #expect(counted.questions() == 0)
            #expect(await counted.read(after: 8, limit: 3) == [9, 10])
            #expect(counted.questions() == 1)
        }
    }

    @Test("what is committed is in a page, also before it was published here")
    func ahead() async throws {
        try await withLedger { ledger in
            let counted = Counted(ledger, publishing: await ledger.tell(2))
            _ = await ledger.tell(2)
            #expect(await counted.read(after: 1, limit: 100) == [2, 3, 4])
            #expect(await counted.read(after: 4, limit: 100) == [])
        }
    }

    @Test("many who ask for the same page at once share two questions: who comes during the first sees what it could not")
    func shared() async throws {
        try await withLedger { ledger in
            let counted = Counted(ledger, publishing: await ledger.tell(2))
            let found = await withTaskGroup(of: [Int64]?.self) { group in
                for _ in 0..<200 { group.addTask { await counted.read(after: 0, limit: 1000) } }
                var found: [[Int64]?] = []
                for await each in group { found.append(each) }
                return found
            }
            #expect(found.count == 200 && found.allSatisfy { $0 == [1, 2] })
            #expect(counted.questions() <= 10)
        }
    }

    @Test("without the store only what is at hand is answered")
    func away() async throws {
        try await withLedger { ledger in
            let counted = Counted(ledger, publishing: await ledger.tell(4))
            ledger.close()
            #expect(await counted.read(after: 0, limit: 2) == [1, 2])
            #expect(await counted.read(after: 2, limit: 10) == nil)
        }
    }
}
