import Delivery
import TestSupport
import Testing

@Suite("Places for attempts")
struct AttemptQueueTests {
    private static func entry(_ account: Int64, _ endpoint: String, _ offset: Int64 = 1, isDoubtful: Bool = false) -> AttemptQueue.Entry {
        .init(
            account: account, endpoint: endpoint, attempt: .init(event: EndpointMachineTests.event(offset), number: 1, isRetry: false),
            isDoubtful: isDoubtful)
    }

    /// Begins all that may begin.
    private static func drain(_ queue: inout AttemptQueue) -> [AttemptQueue.Entry] {
        var begun: [AttemptQueue.Entry] = []
        while let entry = queue.next() { begun.append(entry) }
        return begun
    }

    @Test("28: an account's slow endpoints never take the places of another's, however many they are")
    func accounts() {
        var queue = AttemptQueue(places: 512, doubtful: 256)
        for endpoint in 0..<1000 { for offset in 0..<8 { queue.add(Self.entry(1, "slow \(endpoint)", Int64(offset))) } }
        #expect(Self.drain(&queue).count == 256)
        for round in 0..<100 {
            queue.add(Self.entry(2, "quick", Int64(round)))
            #expect(Self.drain(&queue).map(\.account) == [2])
            queue.ended(Self.entry(2, "quick"))
        }
        #expect(queue.underWay == 256)
    }

    @Test("28: the same within an account: an endpoint that holds all it may leaves places to its siblings")
    func endpoints() {
        var queue = AttemptQueue(places: 512, doubtful: 256)
        for offset in 0..<1000 { queue.add(Self.entry(1, "slow", Int64(offset))) }
        let held = Self.drain(&queue)
        #expect(held.count == 128)
        queue.add(Self.entry(1, "quick"))
        #expect(Self.drain(&queue).map(\.endpoint) == ["quick"])
    }

    @Test("accounts that all want more than there is get the same")
    func shares() {
        var queue = AttemptQueue(places: 512, doubtful: 256)
        for account in 1...7 as ClosedRange<Int64> {
            for endpoint in 0..<100 { for offset in 0..<10 { queue.add(Self.entry(account, "\(account) \(endpoint)", Int64(offset))) } }
        }
        let counts = Dictionary(grouping: Self.drain(&queue), by: \.account).mapValues(\.count)
        #expect(counts.count == 7 && counts.values.allSatisfy { $0 == 64 })
        queue.add(Self.entry(8, "late"))
        #expect(Self.drain(&queue).map(\.account) == [8])
    }

    @Test("28: what may hang has half of the places, and of these no account has all")
    func doubtful() {
        var queue = AttemptQueue(places: 512, doubtful: 256)
        for account in 1...300 as ClosedRange<Int64> { for offset in 0..<9 { queue.add(Self.entry(account, "\(account)", Int64(offset), isDoubtful: true)) } }
        #expect(Self.drain(&queue).count <= 256)
        queue.add(Self.entry(1, "1", 7))
        queue.add(Self.entry(301, "sound"))
        #expect(Self.drain(&queue).map(\.isDoubtful) == [false, false])
        var other = AttemptQueue(places: 512, doubtful: 256)
        for endpoint in 0..<1000 { other.add(Self.entry(1, "\(endpoint)", isDoubtful: true)) }
        #expect(Self.drain(&other).count == 128)
        other.add(Self.entry(2, "2", isDoubtful: true))
        #expect(Self.drain(&other).map(\.account) == [2])
    }

    @Test("an endpoint's attempts keep their order, and accounts and endpoints take turns")
    func order() {
        var queue = AttemptQueue(places: 512, doubtful: 256)
        for offset in 1...3 as ClosedRange<Int64> { queue.add(Self.entry(1, "a", offset)) }
        for offset in 4...5 as ClosedRange<Int64> { queue.add(Self.entry(1, "b", offset)) }
        queue.add(Self.entry(2, "c", 6))
        #expect(Self.drain(&queue).map(\.attempt.event.offset) == [1, 6, 4, 2, 5, 3])
    }

    @Test("what is forgotten does not begin, and what is under way holds its place until it ends")
    func cleared() {
        var queue = AttemptQueue(places: 2, doubtful: 1)
        queue.add(Self.entry(1, "a", 1))
        let begun = queue.next()
        queue.add(Self.entry(2, "b", 2))
        queue.clear()
        #expect(queue.next() == nil && queue.underWay == 1)
        if let begun { queue.ended(begun) }
        #expect(queue.underWay == 0)
    }

    @Test("whatever comes and ends in whatever order, no place is lost, none given twice, and everything begins")
    func histories() {
        for seed in 0..<50 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
            var queue = AttemptQueue(places: 16, doubtful: 8)
            var waiting = 0
            var flights: [AttemptQueue.Entry] = []
            func begin() {
                while let entry = queue.next() {
                    flights.append(entry)
                    waiting -= 1
                }
                #expect(queue.underWay == flights.count && flights.count <= 16 && flights.count { $0.isDoubtful } <= 8)
            }
            for _ in 0..<500 {
                if below(2) == 0 {
                    let account = Int64(below(5))
                    queue.add(Self.entry(account, "\(account) \(below(4))", isDoubtful: below(3) == 0))
                    waiting += 1
                } else if !flights.isEmpty { queue.ended(flights.remove(at: below(flights.count))) }
                begin()
            }
            while !flights.isEmpty {
                queue.ended(flights.removeLast())
                begin()
            }
            #expect(waiting == 0, "seed \(seed): \(waiting) never began")
        }
    }
}
