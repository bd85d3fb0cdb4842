@testable import Gateway
import Testing

@Suite struct RequestRateTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("a second's worth may come at once, then as many as the rate says", arguments: [1, 3, 10, 1000] as [Int64])
    func burst(perSecond: Int64) {
        var rate = RequestRate(perSecond: perSecond)
        let start = 5 * Self.second
        for left in (0..<perSecond).reversed() {
            let quota = rate.take(at: start)
            #expect(!quota.isExceeded && quota.limit == perSecond && quota.remaining == left)
        }
        let refused = rate.take(at: start)
        #expect(refused.isExceeded && refused.remaining == 0 && refused.retryAfterSeconds == 1)
        #expect(!rate.take(at: start + Self.second / UInt64(perSecond)).isExceeded)
        #expect(rate.take(at: start + Self.second / UInt64(perSecond)).isExceeded)
    }

    @Test("over a minute nobody gets more than the rate, and whoever keeps to it is never refused")
    func minute() {
        var rate = RequestRate(perSecond: 10)
        var admitted = 0
        for moment in 0..<60_000 where !rate.take(at: UInt64(moment) * 1_000_000).isExceeded { admitted += 1 }
        #expect((600...610).contains(admitted))
        var steady = RequestRate(perSecond: 10)
        for moment in 1...600 { #expect(!steady.take(at: UInt64(moment) * 100_000_000).isExceeded) }
    }

    @Test("the reset tells when all of it is there again")
    func reset() {
        var rate = RequestRate(perSecond: 2)
        #expect(rate.take(at: 0).resetSeconds == 1)
        #expect(rate.take(at: 0).resetSeconds == 1)
        #expect(rate.take(at: 10 * Self.second).remaining == 1)
    }
}
