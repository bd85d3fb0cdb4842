import TestSupport
import Testing

@testable import LND

@Suite("Reconnecting")
struct ReconnectPolicyTests {
    /// The longest wait that the policy can choose.
    private func longest(_ policy: inout ReconnectPolicy, _ cause: ReconnectPolicy.Cause, at now: UInt64) -> UInt64 {
        policy.failed(cause, at: now, random: 0).milliseconds
    }

    @Test("waits double from one second to thirty")
    func doubles() {
        var policy = ReconnectPolicy()
        let waits = (0..<8).map { longest(&policy, .lost, at: $0 * 1_000) }
        #expect(waits == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    }

    @Test("chance takes away at most half of the wait", arguments: [0, 1, 499, 500, 501, 12_345, UInt64.max])
    func jitter(random: UInt64) {
        var policy = ReconnectPolicy()
        let wait = policy.failed(.lost, at: 0, random: random).milliseconds
        #expect((500...1_000).contains(wait))
    }

    @Test("a connection that lasted starts the waits anew")
    func resets() {
        var policy = ReconnectPolicy()
        for _ in 0..<6 { _ = longest(&policy, .lost, at: 0) }
        policy.connected(at: 100_000)
        #expect(longest(&policy, .lost, at: 110_000) == 1_000)
    }

    @Test("a connection that broke at once does not: an answer that ends the stream cannot make a tight loop")
    func rateLimits() {
        var policy = ReconnectPolicy()
        var now: UInt64 = 0
        var waits: [UInt64] = []
        for _ in 0..<6 {
            policy.connected(at: now)
            now += 5
            let wait = longest(&policy, .lost, at: now)
            waits.append(wait)
            now += wait
        }
        #expect(waits == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000])
    }

    @Test("an occupied interceptor is asked for every ten seconds at most, and is alarming only after eighty")
    func ghost() {
        var policy = ReconnectPolicy()
        var now: UInt64 = 5_000
        var alarms: [UInt64] = []
        for _ in 0..<20 {
            let wait = policy.failed(.occupied, at: now, random: 0)
            #expect(wait.milliseconds <= 10_000)
            if wait.isAlarming { alarms.append(now) }
            now += wait.milliseconds
        }
        #expect(alarms.first.map { $0 >= 85_000 && $0 < 96_000 } == true)
    }

    @Test("a new ghost gets new patience")
    func ghostPatienceRestarts() {
        var policy = ReconnectPolicy()
        _ = policy.failed(.occupied, at: 0, random: 0)
        policy.connected(at: 60_000)
        #expect(!policy.failed(.occupied, at: 100_000, random: 0).isAlarming)
        #expect(policy.failed(.occupied, at: 180_000, random: 0).isAlarming)
    }

    @Test("a break while waiting for a ghost does not shorten the patience")
    func ghostAcrossLoss() {
        var policy = ReconnectPolicy()
        _ = policy.failed(.occupied, at: 0, random: 0)
        _ = policy.failed(.lost, at: 40_000, random: 0)
        #expect(policy.failed(.occupied, at: 80_000, random: 0).isAlarming)
    }

    @Test("a refused node is asked at leisure")
    func refused() {
        var policy = ReconnectPolicy()
        #expect((0..<4).map { longest(&policy, .refused, at: $0) } == [5_000, 10_000, 20_000, 30_000])
    }

    @Test("any number of failures, clocks that go back and any chance give a wait within bounds")
    func bounds() {
        var generator = SeededGenerator(seed: 1)
        var policy = ReconnectPolicy()
        for _ in 0..<10_000 {
            let now = UInt64.random(in: 0...UInt64.max, using: &generator)
            if Bool.random(using: &generator) { policy.connected(at: now) }
            let cause = [ReconnectPolicy.Cause.lost, .refused, .occupied].randomElement(using: &generator)!
            let wait = policy.failed(cause, at: UInt64.random(in: 0...UInt64.max, using: &generator), random: generator.next())
            #expect((1...30_000).contains(wait.milliseconds))
        }
    }
}
