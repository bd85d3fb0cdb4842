@testable import Gateway
import Payments
import Testing

@Suite struct RefusalBudgetTests {
    @Test("a hundred refusals are told in a second, and as many in the next")
    func budget() {
        var budget = RefusalBudget()
        for second in [5, 6] as [Int64] {
            let told = (0..<300).count { _ in budget.take(at: UnixTime(milliseconds: second * 1000 + 7)) }
            #expect(told == 100)
        }
    }
}
