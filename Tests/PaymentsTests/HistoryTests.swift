import Payments
import Testing

@Suite("Random histories")
struct HistoryTests {
    @Test("nothing is settled without a commit, failed after one, or held for ever", arguments: 0..<20)
    func histories(block: UInt64) {
        for seed in 0..<50 {
            var history = History(seed: block * 50 + UInt64(seed))
            history.run(steps: 200)
            #expect(history.violations.isEmpty, "seed \(block * 50 + UInt64(seed)): \(history.violations.first ?? "")")
        }
    }

    @Test("the same facts give the same orders")
    func determinism() {
        var first = History(seed: 7)
        var second = History(seed: 7)
        first.run(steps: 300)
        second.run(steps: 300)
        #expect(first.store.events == second.store.events)
        #expect(!first.store.events.isEmpty)
    }
}
