@testable import Edge
import Testing

@Suite struct RateLimitTests {
    @Test("a burst is admitted at once, then so many in each second, each for itself")
    func rate() {
        var limit = RateLimit<String>(perSecond: 2, burst: 5)
        for (second, admitted) in [(10, 5), (11, 2), (12, 2), (100, 5)] {
            var count = 0
            for _ in 0..<9 where limit.admits("a", second: second) { count += 1 }
            #expect(count == admitted)
            let isOtherAdmitted = limit.admits("b", second: second)
            #expect(isOtherAdmitted)
        }
    }

    @Test("who was quiet for long enough is forgotten, the others are not")
    func forgets() {
        var limit = RateLimit<Int>(perSecond: 1, burst: 3)
        for key in 0..<10 { _ = limit.admits(key, second: 0) }
        for _ in 0..<3 { _ = limit.admits(3, second: 0) }
        limit.forgetQuiet(second: 1)
        let (first, second) = (limit.admits(3, second: 1), limit.admits(3, second: 1))
        #expect(limit.count == 1 && first && !second)
        limit.forgetQuiet(second: 10)
        #expect(limit.count == 0)
    }

    @Test("memory is bounded")
    func bounded() {
        var limit = RateLimit<Int>(perSecond: 1, burst: 1, most: 10)
        let admitted = (0..<1000).count { limit.admits($0, second: 0) }
        #expect(admitted == 1000)
        #expect(limit.count == 10)
    }

    @Test("zero is no limit and remembers nobody")
    func none() {
        var limit = RateLimit<Int>(perSecond: 0, burst: 0)
        let admitted = (0..<1000).count { _ in limit.admits(1, second: 0) }
        #expect(admitted == 1000)
        #expect(limit.count == 0)
    }
}
