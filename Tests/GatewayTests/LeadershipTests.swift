@testable import Gateway
import Ledger
import Logging
import Loop
import TestSupport
import Testing

@LoopActor
@Suite(.serialized) struct LeadershipTests {
    /// One candidate with a ledger of its own, and what it became in turn.
    @LoopActor
    private final class Candidate {
        let ledger: Ledger
        let leadership: Leadership
        private(set) var states: [Leadership.State] = []

        init(_ instance: String, _ dsn: String, leaseMilliseconds: Int64 = 300) async throws {
            var logger = Logger(label: "tests")
            logger.logLevel = .critical
            ledger = try Ledger(dsn: dsn, logger: logger)
            leadership = Leadership(ledger: ledger, instance: instance, leaseMilliseconds: leaseMilliseconds, logger: logger)
            leadership.onState = { [unowned self] in states.append($0) }
            ledger.start()
            try #require(await eventually { ledger.state == .connected })
        }

        var isLeader: Bool { if case .leader = leadership.state { true } else { false } }

        func stop() async {
            await withCheckedContinuation { done in leadership.stop { done.resume() } }
        }

        func end() async {
            await stop()
            ledger.close()
        }
    }

    @Test("the first to ask leads, and the other one as soon as the lease is given back")
    func handedOver() async throws {
        let dsn = TestServer.makeDatabase()
        let first = try await Candidate("one", dsn, leaseMilliseconds: 60_000), second = try await Candidate("two", dsn)
        first.leadership.start()
        try #require(await eventually { first.isLeader })
        second.leadership.start()
        await aWhile()
        #expect(first.states == [.leader(term: 1)] && second.states.isEmpty)
        await first.stop()
        #expect(first.states == [.leader(term: 1), .follower])
        #expect(await eventually { second.isLeader })
        #expect(second.states == [.leader(term: 2)])
        await first.end()
        await second.end()
    }

    @Test("a leader that does not renew is succeeded when its lease has run out, and gives way when it asks")
    func expired() async throws {
        let dsn = TestServer.makeDatabase()
        let first = try await Candidate("one", dsn), second = try await Candidate("two", dsn)
        first.leadership.start()
        try #require(await eventually { first.isLeader })
        // As if it had slept: its lease is over, and the other one is quicker.
        TestServer.sql("UPDATE stream SET leader = 'two', term = 2, lease_until = now() + interval '1 hour'", in: dsn)
        #expect(await eventually { first.states == [.leader(term: 1), .follower] })
        second.leadership.start()
        #expect(await eventually { second.isLeader })
        #expect(second.states == [.leader(term: 3)], "each election has a term of its own")
        #expect(!first.isLeader)
        await first.end()
        await second.end()
    }

    @Test("a leader whose term the store refuses follows at once and asks again")
    func deposed() async throws {
        let dsn = TestServer.makeDatabase()
        let candidate = try await Candidate("one", dsn)
        candidate.leadership.start()
        try #require(await eventually { candidate.isLeader })
        candidate.leadership.deposed()
        candidate.leadership.deposed()
        #expect(candidate.states == [.leader(term: 1), .follower])
        #expect(await eventually { candidate.isLeader })
        #expect(candidate.states.last == .leader(term: 2))
        await candidate.end()
    }

    @Test("a store that is away takes no lease from its leader")
    func storeAway() async throws {
        let dsn = TestServer.makeDatabase()
        let candidate = try await Candidate("one", dsn)
        candidate.leadership.start()
        try #require(await eventually { candidate.isLeader })
        TestServer.open(false, dsn)
        try #require(await eventually { candidate.ledger.state != .connected })
        // Several renewals fail meanwhile.
        try await Task.sleep(for: .milliseconds(500))
        #expect(candidate.isLeader)
        TestServer.open(true, dsn)
        try #require(await eventually { candidate.ledger.state == .connected })
        await aWhile()
        #expect(candidate.states == [.leader(term: 1)])
        await candidate.end()
    }

    @Test("who stops while it asks for the lease gives back what it is answered with")
    func stoppedWhileAsking() async throws {
        let dsn = TestServer.makeDatabase()
        let candidate = try await Candidate("one", dsn, leaseMilliseconds: 60_000)
        let lock = OpenTransaction("SELECT FROM stream FOR UPDATE", in: dsn)
        candidate.leadership.start()
        try #require(await eventually {
            TestServer.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'", in: dsn) == "1"
        })
        async let stopped: Void = candidate.stop()
        await aWhile()
        lock.rollBack()
        await stopped
        #expect(TestServer.sql("SELECT term, leader IS NULL FROM stream", in: dsn) == "1|t")
        #expect(candidate.states.isEmpty)
        await candidate.end()
    }

    @Test("who does not lead has nothing to give back, and asks no more")
    func stopped() async throws {
        let dsn = TestServer.makeDatabase()
        let candidate = try await Candidate("one", dsn)
        await candidate.stop()
        candidate.leadership.start()
        await candidate.stop()
        try await Task.sleep(for: .milliseconds(250))
        #expect(candidate.states.isEmpty || candidate.states.last == .follower)
        #expect(TestServer.sql("SELECT count(*) FROM stream WHERE leader IS NOT NULL", in: dsn) == "0")
        await candidate.end()
    }
}
