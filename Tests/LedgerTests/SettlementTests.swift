import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("Requested settlements")
@LoopActor
struct SettlementTests {
    @Test("are numbered in their order, for each account from one, and each once")
    func order() async throws {
        try await withLedger { (ledger, _) async throws in
            var mine = (1...3).map { Payment($0) }
            var other = Payment(4)
            other.account = 2
            for payment in mine + [other] { _ = await ledger.commit([payment.create, payment.accept()]) }
            mine.swapAt(0, 2)
            _ = await ledger.commit([mine[0].requestSettlement, other.requestSettlement, mine[1].requestSettlement])
            _ = await ledger.commit([mine[1].requestSettlement, mine[0].accept(settling: true), mine[2].accept(settling: true)])
            let told = try await ledger.settlements()
            #expect(told.map(\.sequence) == [1, 2, 3])
            #expect(told.map(\.paymentHash) == mine.map(\.hash))
            #expect(told.map(\.preimage) == mine.map(\.preimage))
            #expect(try await ledger.settlements(account: 2).map(\.paymentHash) == [other.hash])
            #expect(try await ledger.settlements(from: 2, limit: 1).map(\.sequence) == [2])
            #expect(try await ledger.settlements(from: 4).isEmpty)
        }
    }

    @Test("tell how they ended, and when")
    func ends() async throws {
        try await withLedger { (ledger, _) async throws in
            let settled = Payment(1), failed = Payment(2), waiting = Payment(3), canceled = Payment(4)
            for payment in [settled, failed, waiting] { _ = await ledger.commit([payment.create, payment.accept(settling: true)]) }
            _ = await ledger.commit([canceled.create, canceled.accept(), canceled.cancel(canceled.setID)])
            _ = await ledger.commit([settled.resolve(0), settled.resolve(1, concludes: .settled)])
            _ = await ledger.commit([failed.resolve(0, settled: false), failed.resolve(1, settled: false, concludes: .failed)])
            let told = try await ledger.settlements()
            #expect(told.map(\.state) == [.settled, .failed, .settleRequested])
            #expect(told.map(\.finalizedAt) == [now, now, nil])
            #expect(told.allSatisfy { $0.requestedAt == now && $0.received == Millisatoshis(2_000) })
        }
    }

    @Test("of a store that had no numbers get them in the log's order, those beyond the log before it")
    func backfill() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let payments = (1...4).map { Payment($0) }
            for payment in payments { _ = await ledger.commit([payment.create, payment.accept()]) }
            for payment in payments.reversed() { _ = await ledger.commit(payment.requestSettlement) }
            ledger.close()
            _ = TestServer.sql(
                "DELETE FROM events WHERE payment_hash = '\\x\(payments[2].hash)'; DROP TABLE settlements; DELETE FROM schema_migrations WHERE version = 11",
                in: dsn)
            #expect(try await Ledger.migrate(dsn: dsn) == [11])
            let again = try await startedLedger(dsn)
            #expect(try await again.settlements().map(\.paymentHash) == [payments[2], payments[3], payments[1], payments[0]].map(\.hash))
            again.close()
        }
    }
}
