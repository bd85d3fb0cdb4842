internal import Payments

/// How many refusals are told in a second: anybody who has an invoice can be refused as often as he likes.
struct RefusalBudget {
    private static let perSecond = 100
    private var second: Int64 = 0
    private var left = perSecond

    mutating func take(at time: UnixTime) -> Bool {
        if time.seconds != second {
            second = time.seconds
            left = Self.perSecond
        }
        left -= 1
        return left >= 0
    }
}
