import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("Retention")
@LoopActor
struct RetentionTests {
    private static let day: Int64 = 86_400_000

    private func begin(_ ledger: Ledger, term: Int64 = 1) async throws -> Bool {
        try await withCheckedContinuation { done in
            ledger.beginPartition(term: term, stepMilliseconds: Self.day) { done.resume(returning: $0) }
        }.get()
    }

    private func drop(_ ledger: Ledger, term: Int64 = 1, days: Int64 = 7) async throws -> Int {
        try await withCheckedContinuation { done in
            ledger.dropPartitions(term: term, retentionMilliseconds: days * Self.day) { done.resume(returning: $0) }
        }.get()
    }

    /// As if so many days had passed.
    private func pass(_ days: Int, _ dsn: String) {
        TestServer.sql("UPDATE event_partitions SET begun_at = begun_at - interval '\(days) days'", in: dsn)
    }

    @Test("offsets go on from one day's partition to the next, and reads see both")
    func days() async throws {
        try await withLedger { (ledger, dsn) async throws in
            #expect(try await begin(ledger) == false)
            for day in 0..<3 {
                _ = await ledger.commit([Payment(day * 2).create, Payment(day * 2 + 1).create])
                pass(1, dsn)
                #expect(try await begin(ledger))
                #expect(try await begin(ledger) == false)
            }
            #expect(try await ledger.events(after: 0).map(\.offset) == Array(1...6))
            #expect(try await ledger.events(after: 3, limit: 2).map(\.offset) == [4, 5])
            #expect(try await ledger.events(after: 0, paymentHash: Payment(4).hash).map(\.offset) == [5])
            #expect(TestServer.sql("SELECT part, count(*) FROM events GROUP BY part ORDER BY part", in: dsn) == "0|2\n1|2\n2|2")
            #expect(TestServer.sql("SELECT first FROM event_partitions ORDER BY part", in: dsn) == "1\n3\n5\n7")
        }
    }

    @Test("the oldest days go and are known to be gone; offsets, epoch and head stay")
    func drops() async throws {
        try await withLedger { (ledger, dsn) async throws in
            for day in 0..<3 {
                _ = await ledger.commit([Payment(day * 2).create, Payment(day * 2 + 1).create])
                pass(3, dsn)
                #expect(try await begin(ledger))
            }
            let before = try await ledger.stream()
            // They began nine, six, three and no days ago: what was written before the second is older than five days.
            #expect(try await drop(ledger, days: 10) == 0)
            #expect(try await drop(ledger, days: 5) == 1)
            #expect(try await drop(ledger, days: 5) == 0)
            let after = try await ledger.stream()
            #expect((after.first, after.head, after.epoch) == (3, before.head, before.epoch))
            #expect(try await ledger.events(after: 0).map(\.offset) == Array(3...6))
            _ = await ledger.commit(Payment(9).create)
            #expect(try await ledger.events(after: 5).map(\.offset) == [6, 7])
            pass(100, dsn)
            #expect(try await drop(ledger) == 2)
            #expect(try await ledger.events(after: 0).map(\.offset) == [7])
            #expect(try await ledger.stream().first == 7)
        }
    }

    @Test("what was told is not told again on the next day")
    func repeats() async throws {
        try await withLedger { (ledger, dsn) async throws in
            #expect(await ledger.commit(tell("evt_once")).isApplied)
            pass(1, dsn)
            #expect(try await begin(ledger))
            #expect(await ledger.commit(tell("evt_once")) == .repeated)
        }
    }

    @Test("a deposed leader changes nothing")
    func deposed() async throws {
        try await withLedger { (ledger, dsn) async throws in
            pass(20, dsn)
            await #expect(throws: LedgerError.self) { try await begin(ledger, term: 2) }
            #expect(TestServer.sql("SELECT count(*) FROM event_partitions", in: dsn) == "1")
            #expect(try await begin(ledger))
            pass(20, dsn)
            await #expect(throws: LedgerError.self) { try await drop(ledger, term: 2) }
            #expect(try await drop(ledger) == 1)
        }
    }

    @Test("a database that was restored elsewhere gets a new epoch, once, and a renewal counts once for all who ask for it")
    func epochs() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let first = try await ledger.stream().epoch
            _ = try await Ledger.migrate(dsn: dsn)
            #expect(try await ledger.stream().epoch == first)
            TestServer.sql("UPDATE stream SET origin = 'another'", in: dsn)
            _ = try await Ledger.migrate(dsn: dsn)
            let second = try await ledger.stream().epoch
            #expect(second != first && second.count == 32)
            _ = try await Ledger.migrate(dsn: dsn)
            #expect(try await ledger.stream().epoch == second)
            for _ in 0..<2 { await withCheckedContinuation { done in ledger.renewEpoch(second) { _ in done.resume() } } }
            let third = try await ledger.stream().epoch
            #expect(third != second)
            await withCheckedContinuation { done in ledger.renewEpoch(second) { _ in done.resume() } }
            #expect(try await ledger.stream().epoch == third)
        }
    }
}
