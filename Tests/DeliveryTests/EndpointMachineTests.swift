@testable import Delivery
import Payments
import TestSupport
import Testing

@Suite("An endpoint's way along the log")
struct EndpointMachineTests {
    static let start = UnixTime(seconds: 1_790_000_000)

    static func event(_ offset: Int64, _ hash: UInt8? = nil) -> PublishedEvent {
        PublishedEvent(
            offset: offset, id: "evt_\(offset)", type: .invoiceSettled, account: 1,
            paymentHash: hash.flatMap { Bytes32(repeatElement($0, count: 32)) }.map { PaymentHash($0) }, time: start, data: "{}")
    }

    static func sent(_ orders: [DeliveryOrder]) -> [Int64] {
        orders.compactMap { if case .send(let attempt) = $0 { attempt.event.offset } else { nil } }
    }

    static func record(_ orders: [DeliveryOrder]) -> DeliveryRecord? {
        for order in orders { if case .record(let record) = order { return record } }
        return nil
    }

    /// One that has read the log up to ten.
    static func ready(concurrency: Int = 1) -> EndpointMachine {
        var machine = EndpointMachine(progress: .init(cursor: 10), isEnabled: true, concurrency: concurrency, nextRetryAt: nil)
        #expect(machine.timeReached(start) == [.read(after: 10)])
        #expect(machine.read([], through: 10, isComplete: true, at: start) == [])
        return machine
    }

    static let good = Verdict.delivered(status: 200)
    static let bad = Verdict.failed(status: 500, reason: "answered 500", retryAfter: nil)

    @Test("events are sent one after the other, and the cursor follows what was taken")
    func order() {
        var machine = Self.ready()
        #expect(Self.sent(machine.published([Self.event(11), Self.event(13)], through: 14, at: Self.start)) == [11])
        #expect(machine.progress.cursor == 10)
        #expect(Self.sent(machine.ended(11, Self.good, jitter: 0, at: Self.start)) == [13])
        #expect(machine.progress.cursor == 12)
        #expect(Self.sent(machine.ended(13, Self.good, jitter: 0, at: Self.start)) == [])
        #expect(machine.progress.cursor == 14)
    }

    @Test("what is published while the log is read is not missed")
    func publishedWhileReading() {
        var machine = EndpointMachine(progress: .init(cursor: 10), isEnabled: true, concurrency: 1, nextRetryAt: nil)
        #expect(machine.timeReached(Self.start) == [.read(after: 10)])
        #expect(machine.published([Self.event(12)], through: 12, at: Self.start) == [])
        let orders = machine.read([Self.event(11)], through: 11, isComplete: true, at: Self.start)
        #expect(Self.sent(orders) == [11])
        #expect(orders.contains(.read(after: 11)))
    }

    @Test("several at once keep the order of each invoice's events, and the cursor waits for the slowest")
    func concurrency() {
        var machine = Self.ready(concurrency: 3)
        let events = [Self.event(11, 1), Self.event(12, 2), Self.event(13, 1), Self.event(14, 3)]
        #expect(Self.sent(machine.published(events, through: 14, at: Self.start)) == [11, 12])
        #expect(Self.sent(machine.ended(12, Self.good, jitter: 0, at: Self.start)) == [])
        #expect(machine.progress.cursor == 10)
        #expect(Self.sent(machine.ended(11, Self.good, jitter: 0, at: Self.start)) == [13, 14])
        #expect(Self.sent(machine.ended(14, Self.good, jitter: 0, at: Self.start)) == [])
        #expect(machine.progress.cursor == 12)
    }

    @Test("what was not taken is stored with its next attempt before the cursor passes it, and the way goes on")
    func failure() throws {
        var machine = Self.ready()
        _ = machine.published([Self.event(11), Self.event(12)], through: 12, at: Self.start)
        let orders = machine.ended(11, Self.bad, jitter: 0.5, at: Self.start)
        let record = try #require(Self.record(orders))
        #expect((record.state, record.attempt, record.status) == (.waiting, 1, 500))
        #expect(record.nextAttemptAt == Self.start.advanced(byMilliseconds: 5000))
        #expect(Self.sent(orders) == [12])
        #expect(machine.progress.cursor == 11)
        #expect(machine.timeReached(Self.start.advanced(byMilliseconds: 4999)) == [])
        #expect(machine.timeReached(Self.start.advanced(byMilliseconds: 5000)) == [.loadRetries(limit: EndpointMachine.retryPage)])
    }

    @Test("a repetition that hangs delays no event that is sent for the first time")
    func repetitionsHaveTheirPlace() {
        var machine = Self.ready()
        _ = machine.wanted(nextAt: Self.start, at: Self.start)
        let orders = machine.loaded([DueDelivery(event: Self.event(3), attempts: 4)], nextAt: nil, at: Self.start)
        #expect(orders == [.send(.init(event: Self.event(3), number: 5, isRetry: true))])
        #expect(Self.sent(machine.published([Self.event(11)], through: 11, at: Self.start)) == [11])
        #expect(machine.progress.cursor == 10)
        let record = Self.record(machine.ended(3, Self.bad, jitter: 0.5, at: Self.start))
        #expect(record?.attempt == 5)
        #expect(record?.nextAttemptAt == Self.start.advanced(byMilliseconds: 5 * 3_600_000))
    }

    @Test("after the tenth attempt no other follows by itself")
    func exhausted() {
        var machine = Self.ready()
        _ = machine.wanted(nextAt: Self.start, at: Self.start)
        _ = machine.loaded([DueDelivery(event: Self.event(3), attempts: 9)], nextAt: nil, at: Self.start)
        let record = Self.record(machine.ended(3, Self.bad, jitter: 0.5, at: Self.start))
        #expect(record?.state == .failed)
        #expect(record?.nextAttemptAt == nil)
        #expect(machine.isEnabled)
    }

    /// One that has failed three times, with two more events at hand.
    static func struggling() -> EndpointMachine {
        var machine = ready()
        _ = machine.published((11...15).map { event($0) }, through: 15, at: start)
        for offset in 11...13 as ClosedRange<Int64> { _ = machine.ended(offset, bad, jitter: 0.5, at: start) }
        return machine
    }

    @Test("an endpoint that takes nothing is asked rarely, and what it has missed waits in the log")
    func struggles() {
        var machine = Self.struggling()
        #expect(machine.isStruggling && machine.underWay == 0)
        #expect(machine.progress.cursor == 13)
        #expect(Self.sent(machine.timeReached(Self.start.advanced(byMilliseconds: 4999))) == [])
        #expect(Self.sent(machine.timeReached(Self.start.advanced(byMilliseconds: 5000))) == [14])
    }

    @Test("when it is back, the log and what waits for a later attempt follow at once")
    func recovers() {
        var machine = Self.struggling()
        let later = Self.start.advanced(byMilliseconds: 5000)
        #expect(machine.timeReached(later).contains(.read(after: 14)))
        _ = machine.loaded([], nextAt: later.advanced(byMilliseconds: 300_000), at: later)
        let orders = machine.ended(14, Self.good, jitter: 0.5, at: later)
        #expect(orders.contains(.bringForward))
        #expect(orders.contains(.loadRetries(limit: EndpointMachine.retryPage)))
        #expect(Self.sent(machine.read([Self.event(15)], through: 15, isComplete: true, at: later)) == [15])
        #expect(machine.progress.failures == 0)
    }

    @Test("28: Retry-After is obeyed by everything that goes to the endpoint")
    func retryAfter() throws {
        var machine = Self.ready()
        _ = machine.published([Self.event(11), Self.event(12)], through: 12, at: Self.start)
        let orders = machine.ended(11, .failed(status: 429, reason: "answered 429", retryAfter: 60_000), jitter: 0.5, at: Self.start)
        #expect(Self.sent(orders) == [])
        #expect(try #require(Self.record(orders)).nextAttemptAt == Self.start.advanced(byMilliseconds: 60_000))
        #expect(machine.timeReached(Self.start.advanced(byMilliseconds: 59_999)) == [])
        #expect(Self.sent(machine.timeReached(Self.start.advanced(byMilliseconds: 60_000))) == [12])
    }

    @Test("28: 410 disables it, and what it refused comes again when it is enabled")
    func gone() throws {
        var machine = Self.ready()
        _ = machine.published([Self.event(11), Self.event(12)], through: 12, at: Self.start)
        let orders = machine.ended(11, .gone, jitter: 0.5, at: Self.start)
        #expect(orders.contains(.disable(.gone)))
        #expect(try #require(Self.record(orders)).state == .waiting)
        #expect(Self.sent(orders) == [])
        #expect(machine.timeReached(Self.start.advanced(byMilliseconds: 86_400_000)) == [])
        let again = machine.enabled(at: Self.start)
        #expect(Self.sent(again) == [12])
        #expect(again.contains(.loadRetries(limit: EndpointMachine.retryPage)))
    }

    @Test("28: 500 for four days: it is disabled, and nothing was given up before")
    func failingForDays() {
        var machine = Self.ready()
        var now = Self.start
        var offset: Int64 = 11
        var reason: DisabledReason?
        while reason == nil, now < Self.start.advanced(byMilliseconds: 5 * 86_400_000) {
            var orders = machine.published([Self.event(offset)], through: offset, at: now)
            orders += machine.timeReached(now)
            while let order = orders.popLast() {
                switch order {
                case .read(let after):
                    let missed = after < offset ? (after + 1...offset).map { Self.event($0) } : []
                    orders += machine.read(missed, through: offset, isComplete: true, at: now)
                case .send(let attempt): orders += machine.ended(attempt.event.offset, Self.bad, jitter: 0.5, at: now)
                case .disable(let why): reason = why
                default: break
                }
            }
            offset += 1
            now = now.advanced(byMilliseconds: 600_000)
        }
        #expect(reason == .failing)
        #expect(now.milliseconds - Self.start.milliseconds >= RetrySchedule.patience)
        #expect(now.milliseconds - Self.start.milliseconds < RetrySchedule.patience + 2 * 3_600_000)
    }

    @Test("the window is bounded: what does not fit is read from the log when there is room")
    func window() {
        var machine = Self.ready()
        #expect(Self.sent(machine.published([Self.event(11)], through: 11, at: Self.start)) == [11])
        let many = (12...700).map { Self.event($0) }
        #expect(machine.published(many, through: 700, at: Self.start) == [])
        #expect(machine.ended(11, Self.good, jitter: 0, at: Self.start).contains(.read(after: 11)))
    }

    @Test("whatever happens in whatever order, every event is taken or stored, and the cursor never passes one that is not")
    func histories() {
        for seed in 0..<100 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
            var machine = EndpointMachine(
                progress: .init(cursor: 0), isEnabled: true, concurrency: below(4) + 1, nextRetryAt: nil)
            var now = Self.start
            var head: Int64 = 0
            var flights: [Int64] = []
            var isReading = false
            var stored: [Int64: UnixTime] = [:]
            var taken: Set<Int64> = []
            var isLoading = false
            func carryOut(_ orders: [DeliveryOrder]) {
                for order in orders {
                    switch order {
                    case .read(let after):
                        #expect(!isReading && after <= head)
                        isReading = true
                    case .loadRetries: isLoading = true
                    case .send(let attempt):
                        #expect(!flights.contains(attempt.event.offset))
                        flights.append(attempt.event.offset)
                    case .record(let record):
                        if record.state == .delivered { taken.insert(record.offset) }
                        stored[record.offset] = record.nextAttemptAt
                    case .bringForward: stored = stored.mapValues { _ in now }
                    case .disable: break
                    }
                }
                let done = machine.progress.cursor
                if done > 0 { for offset in 1...done where !taken.contains(offset) && stored[offset] == nil { Issue.record("seed \(seed): \(offset) is lost") } }
            }
            for step in 0..<1500 {
                let isEnd = step > 250
                switch below(isEnd ? 4 : 6) {
                case 0 where isReading:
                    isReading = false
                    let after = machine.readThrough
                    let end = min(head, after + 7)
                    carryOut(machine.read(after < end ? ((after + 1)...end).map { Self.event($0, UInt8($0 % 3)) } : [], through: end, isComplete: end == head, at: now))
                case 1 where isLoading:
                    isLoading = false
                    let due = stored.filter { $0.value <= now }.sorted { $0.value < $1.value }.prefix(3).map { DueDelivery(event: Self.event($0.key), attempts: 1) }
                    let rest = stored.filter { entry in !due.contains { $0.event.offset == entry.key } }
                    carryOut(machine.loaded(due, nextAt: rest.values.min(), at: now))
                case 2 where !flights.isEmpty:
                    let offset = flights.remove(at: below(flights.count))
                    let isGood = isEnd || below(2) == 0
                    carryOut(machine.ended(offset, isGood ? Self.good : Self.bad, jitter: 0.3, at: now))
                case 3:
                    now = now.advanced(byMilliseconds: isEnd ? 600_000 : Int64(below(20_000)))
                    carryOut(machine.timeReached(now))
                case 4, 5:
                    let count = Int64(below(4))
                    let events = count == 0 ? [] : ((head + 1)...(head + count)).map { Self.event($0, UInt8($0 % 3)) }
                    head += count
                    carryOut(machine.published(events, through: head, at: now))
                default: break
                }
            }
            #expect(taken.count == Int(head), "seed \(seed): \(taken.count) of \(head)")
        }
    }
}
