import Testing

@testable import Loop

@Suite("The timer wheel", .timeLimit(.minutes(1)))
@LoopActor
struct TimerWheelTests {
    @Test("timers fire in the order of their times, never early, and only once")
    func order() async {
        let wheel = TimerWheel(tickMilliseconds: 5, slots: 8)
        let start = Clock.monotonicNanoseconds
        var fired: [(UInt64, Double)] = []
        await withCheckedContinuation { done in
            // The longest goes round the wheel more than once.
            for delay in [120, 10, 60, 0] as [UInt64] {
                wheel.schedule(afterMilliseconds: delay) {
                    fired.append((delay, Double(Clock.monotonicNanoseconds - start) / 1e6))
                    if delay == 120 { done.resume() }
                }
            }
        }
        #expect(fired.map(\.0) == [0, 10, 60, 120])
        #expect(fired.allSatisfy { $0.1 >= Double($0.0) })
        #expect(wheel.count == 0)
    }

    @Test("a cancelled timer never fires, and its token means nothing to the next one")
    func cancel() async {
        let wheel = TimerWheel(tickMilliseconds: 1, slots: 4)
        var fired: [Int] = []
        let first = wheel.schedule(afterMilliseconds: 5) { fired.append(1) }
        wheel.cancel(first)
        let second = wheel.schedule(afterMilliseconds: 5) { fired.append(2) }
        wheel.cancel(first)
        #expect(!wheel.isWaiting(first))
        #expect(wheel.isWaiting(second))
        while wheel.count > 0 { await pause(milliseconds: 2) }
        #expect(fired == [2])
    }

    @Test("a body may cancel what is due in the same tick and schedule anew")
    func withinBodies() async {
        let wheel = TimerWheel(tickMilliseconds: 1, slots: 4)
        var fired: [Int] = []
        let others = Tokens()
        wheel.schedule(afterMilliseconds: 1) {
            fired.append(1)
            for token in others.tokens { wheel.cancel(token) }
            wheel.schedule(afterMilliseconds: 1) { fired.append(3) }
        }
        others.tokens.append(wheel.schedule(afterMilliseconds: 1) { fired.append(2) })
        while wheel.count > 0 { await pause(milliseconds: 2) }
        #expect(fired == [1, 3])
    }

    @Test("a hundred thousand timers, half of them cancelled, leave the wheel empty")
    func many() async {
        let wheel = TimerWheel(tickMilliseconds: 1, slots: 64)
        var fired = 0
        var tokens: [TimerWheel.Token] = []
        for index in 0..<100_000 {
            tokens.append(wheel.schedule(afterMilliseconds: UInt64(index % 300)) { fired += 1 })
        }
        for index in stride(from: 0, to: tokens.count, by: 2) { wheel.cancel(tokens[index]) }
        let before = fired
        while wheel.count > 0 { await pause(milliseconds: 2) }
        #expect(before == 0)
        #expect(fired == 50_000)
    }
}

/// Lets the loop run for a while.
@LoopActor
func pause(milliseconds: UInt64) async {
    await withCheckedContinuation { done in _ = Timer(afterMilliseconds: milliseconds) { done.resume() } }
}

@LoopActor
private final class Tokens {
    var tokens: [TimerWheel.Token] = []
}
