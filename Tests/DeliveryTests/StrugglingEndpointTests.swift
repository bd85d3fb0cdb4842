@testable import Delivery
import Payments
import Testing

/// What an owner can do to the gateway with an endpoint that fails, and what must not happen to one that does.
@Suite("An endpoint in trouble")
struct StrugglingEndpointTests {
    private typealias Machine = EndpointMachineTests
    private static let start = EndpointMachineTests.start
    private static let bad = EndpointMachineTests.bad, good = EndpointMachineTests.good

    private static func after(_ milliseconds: Int64) -> UnixTime { start.advanced(byMilliseconds: milliseconds) }

    @Test("a pause that was asked for is not over because an earlier attempt ends well")
    func pauseAndSuccess() {
        var machine = Machine.ready(concurrency: 2)
        #expect(Machine.sent(machine.published((11...14).map { Machine.event($0) }, through: 14, at: Self.start)) == [11, 12])
        _ = machine.ended(11, .failed(status: 429, reason: "answered 429", retryAfter: 60_000), jitter: 0.5, at: Self.start)
        #expect(Machine.sent(machine.ended(12, Self.good, jitter: 0.5, at: Self.start)) == [])
        #expect(machine.progress.pausedUntil == Self.after(60_000))
        #expect(Machine.sent(machine.timeReached(Self.after(60_000))).contains(13))
    }

    @Test("thousands of deliveries that are asked for again are no thousands of requests to one that fails")
    func repetitionsArePaced() {
        var machine = Machine.struggling()
        var now = Self.start
        var requests = 0
        var next: Int64 = 1000
        while now < Self.after(3_600_000) {
            var orders = machine.wanted(nextAt: now, at: now) + machine.timeReached(now)
            while let order = orders.popLast() {
                switch order {
                case .loadRetries:
                    let due = (next..<next + 32).map { DueDelivery(event: Machine.event($0), attempts: 0) }
                    next += 32
                    orders += machine.loaded(due, nextAt: now, at: now)
                case .send(let attempt) where attempt.isRetry:
                    requests += 1
                    orders += machine.ended(attempt.event.offset, Self.bad, jitter: 0.5, at: now)
                default: break
                }
            }
            now = now.advanced(byMilliseconds: 500)
        }
        #expect((50...70).contains(requests), "\(requests) in an hour")
    }

    @Test("what waits for one that struggles or is disabled waits in the log, not in memory")
    func narrow() {
        var machine = Machine.ready()
        _ = machine.published((11...400).map { Machine.event($0) }, through: 400, at: Self.start)
        for offset in 11...13 as ClosedRange<Int64> { _ = machine.ended(offset, Self.bad, jitter: 0.5, at: Self.start) }
        #expect(machine.isStruggling && machine.readThrough == 14 && machine.progress.cursor == 13)
        #expect(machine.published([Machine.event(401)], through: 401, at: Self.start) == [])
        let probe = machine.timeReached(Self.after(5000))
        #expect(Machine.sent(probe) == [14] && probe.contains(.read(after: 14)))
        let orders = machine.read((15...400).map { Machine.event($0) }, through: 400, isComplete: false, at: Self.after(5000))
        #expect(orders == [] && machine.readThrough == 15 && machine.progress.cursor == 13)
        #expect(machine.ended(14, Self.good, jitter: 0.5, at: Self.after(5000)).contains(.read(after: 15)))

        var disabled = Machine.ready()
        _ = disabled.published((11...400).map { Machine.event($0) }, through: 400, at: Self.start)
        disabled.disabled()
        #expect(disabled.readThrough == 12 && disabled.progress.cursor == 10)
    }

    @Test("what is being read while it begins to struggle is not lost")
    func narrowWhileReading() {
        var machine = Machine.ready()
        _ = machine.published((11...60).map { Machine.event($0) }, through: 60, at: Self.start)
        _ = machine.published((61...900).map { Machine.event($0) }, through: 900, at: Self.start)
        // It reads on, and has forty-nine at hand.
        #expect(machine.ended(11, Self.bad, jitter: 0.5, at: Self.start).contains(.read(after: 60)))
        for offset in 12...13 as ClosedRange<Int64> { _ = machine.ended(offset, Self.bad, jitter: 0.5, at: Self.start) }
        #expect(machine.isStruggling)
        _ = machine.read((61...560).map { Machine.event($0) }, through: 560, isComplete: false, at: Self.start)
        var sent: [Int64] = []
        var orders = machine.timeReached(Self.after(5000))
        while let order = orders.popLast() {
            switch order {
            case .send(let attempt):
                sent.append(attempt.event.offset)
                orders += machine.ended(attempt.event.offset, Self.good, jitter: 0.5, at: Self.after(5000))
            case .read(let after):
                let end = min(900, after + 500)
                orders += machine.read(after < end ? (after + 1...end).map { Machine.event($0) } : [], through: end, isComplete: end == 900, at: Self.after(5000))
            default: break
            }
        }
        #expect(sent == Array(14...900))
    }

    @Test("an event is never sent twice at once, for the first time and again")
    func notTwiceAtOnce() {
        var machine = Machine.ready()
        // Everything was asked for again, also what was never sent.
        _ = machine.wanted(nextAt: Self.start, at: Self.start)
        _ = machine.loaded([DueDelivery(event: Machine.event(11), attempts: 0)], nextAt: nil, at: Self.start)
        #expect(Machine.sent(machine.published([Machine.event(11)], through: 11, at: Self.start)) == [])
        #expect(Machine.sent(machine.ended(11, Self.good, jitter: 0.5, at: Self.start)) == [11])
        #expect(Machine.record(machine.ended(11, Self.bad, jitter: 0.5, at: Self.start))?.attempt == 1)
    }

    @Test("an attempt that was not made is made when the endpoint is enabled, and the cursor waits for it")
    func withdrawn() {
        var machine = Machine.ready(concurrency: 3)
        _ = machine.published((11...15).map { Machine.event($0) }, through: 15, at: Self.start)
        machine.disabled()
        machine.withdrawn(12, at: Self.start)
        machine.withdrawn(11, at: Self.start)
        #expect(Machine.sent(machine.ended(13, Self.good, jitter: 0.5, at: Self.start)) == [])
        #expect(machine.progress.cursor == 10 && machine.underWay == 0)
        let again = machine.enabled(at: Self.start)
        #expect(Machine.sent(again) == [11, 12] && again.contains(.read(after: 13)), "13 was taken")

        var other = Machine.ready()
        _ = other.wanted(nextAt: Self.start, at: Self.start)
        _ = other.loaded([DueDelivery(event: Machine.event(3), attempts: 4)], nextAt: nil, at: Self.start)
        other.disabled()
        other.withdrawn(3, at: Self.start)
        #expect(other.underWay == 0)
        #expect(other.enabled(at: Self.start).contains(.loadRetries(limit: EndpointMachine.retryPage)))
    }

    @Test("28: an endpoint is not given up before an event has had its tenth attempt", arguments: [0, 0.5, 0.999])
    func tenAttemptsBeforeTheEnd(jitter: Double) {
        var machine = Machine.ready()
        var stored: [Int64: DeliveryRecord] = [:]
        var attempts: [Int64: Int] = [:]
        var endedAt: UnixTime?
        var next: Int64 = 11
        var now = Self.start
        while endedAt == nil, now < Self.after(10 * 86_400_000) {
            var orders = machine.timeReached(now)
            // A new event each half an hour: the endpoint never comes to rest.
            if (now.milliseconds - Self.start.milliseconds) % 1_800_000 == 0 {
                orders += machine.published([Machine.event(next)], through: next, at: now)
                next += 1
            }
            while let order = orders.popLast() {
                switch order {
                case .read(let after):
                    orders += machine.read(after + 1 < next ? (after + 1..<next).map { Machine.event($0) } : [], through: next - 1, isComplete: true, at: now)
                case .loadRetries(let limit):
                    let waiting = stored.values.filter { $0.nextAttemptAt != nil }.sorted { ($0.nextAttemptAt!, $0.offset) < ($1.nextAttemptAt!, $1.offset) }
                    let due = waiting.prefix(limit).filter { $0.nextAttemptAt! <= now }
                    orders += machine.loaded(
                        due.map { DueDelivery(event: Machine.event($0.offset), attempts: $0.attempt) }, nextAt: waiting.dropFirst(due.count).first?.nextAttemptAt, at: now)
                case .send(let attempt):
                    attempts[attempt.event.offset, default: 0] += 1
                    orders += machine.ended(attempt.event.offset, Self.bad, jitter: jitter, at: now)
                case .record(let record): stored[record.offset] = record
                case .disable: endedAt = now
                case .bringForward: break
                }
            }
            now = now.advanced(byMilliseconds: 5_000)
        }
        #expect(attempts[11] == 10 && stored[11]?.state == .failed)
        #expect(endedAt.map { $0.milliseconds >= Self.after(RetrySchedule.patience).milliseconds } == true)
        #expect(stored.values.filter { $0.state == .failed }.allSatisfy { $0.attempt == 10 }, "what had fewer waits for the owner")
    }
}
