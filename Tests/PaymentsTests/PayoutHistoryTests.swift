import Payments
import Testing

@Suite("Random histories of payouts")
struct PayoutHistoryTests {
    @Test("nothing is paid twice, told as failed while it is paid, or lost from the books", arguments: 0..<20)
    func histories(block: UInt64) {
        for seed in 0..<100 {
            var history = PayoutHistory(seed: block * 100 + UInt64(seed))
            history.run(steps: 150)
            #expect(history.violations.isEmpty, "seed \(block * 100 + UInt64(seed)): \(history.violations.first ?? "")")
            guard history.violations.isEmpty else { return }
        }
    }

    @Test("they would find a machine that believes too soon that a node knows nothing")
    func sensitivity() {
        let isFound = (0..<4000).contains { seed in
            var history = PayoutHistory(seed: UInt64(seed), policy: PayoutPolicy(lookupGrace: 0))
            history.run(steps: 150)
            return !history.violations.isEmpty
        }
        #expect(isFound)
    }

    @Test("they go through every end and through doubt")
    func coverage() {
        var ends: Set<String> = []
        for seed in 0..<300 {
            var history = PayoutHistory(seed: UInt64(seed))
            history.run(steps: 150)
            ends.insert("\(history.row.state)")
            if !history.row.tried.isEmpty { ends.insert("tried another node") }
            if history.leaders.count > 1 { ends.insert("another leader") }
            if (history.row.feeBeyondLimit) > .zero { ends.insert("fee beyond the limit") }
        }
        #expect(ends == ["settled", "failed", "tried another node", "another leader", "fee beyond the limit"])
    }
}
