import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("A void")
@LoopActor
struct VoidTests {
    @Test("of a set that was never stored refuses its acceptance for ever and tells nothing", arguments: [true, false])
    func late(isStored: Bool) async throws {
        try await withLedger { (ledger, dsn) async throws in
            let payment = Payment(1)
            if isStored { _ = await ledger.commit(payment.create) }
            let head = try await ledger.stream().head
            #expect(await ledger.commit(payment.void) == .applied([]))
            #expect(await ledger.commit(payment.void) == .repeated)
            for entry in [payment.accept(), payment.accept(settling: true), payment.requestSettlement] {
                let result = await ledger.commit(entry)
                #expect(result.isRefused && result.stored?.state == (isStored ? .open : nil))
            }
            #expect(try await ledger.stream().head == head)
            #expect(TestServer.sql("SELECT count(*) FROM htlcs WHERE was_failed_back", in: dsn) == "2")

            // Neither may one of its parts make up another set; a wholly new one can.
            var mixed = Payment(1, attempt: 1)
            mixed.parts[0] = payment.parts[0]
            #expect(await ledger.commit(mixed.accept(settling: true)).isRefused)
            #expect(await ledger.commit(Payment(1, attempt: 2).accept(settling: true)).isApplied)
        }
    }

    @Test("of an accepted set releases it")
    func accepted() async throws {
        try await withLedger { (ledger, _) async throws in
            let payment = Payment(1)
            _ = await ledger.commit(payment.accept())
            let result = await ledger.commit(payment.void)
            #expect(result.events.map(\.type) == [.htlcFailed, .htlcFailed, .invoiceReleased])
            #expect(result.events.map(\.offset) == [4, 5, 6])
            #expect(try await ledger.events(after: 3) == result.events)
            let invoice = try #require(try await ledger.invoice(payment.hash))
            #expect(invoice.state == .open && invoice.received == .zero)
            #expect(await ledger.commit(payment.requestSettlement).isRefused)
            #expect(await ledger.commit(payment.accept(settling: true)).isRefused)
            #expect(await ledger.commit([payment.void, payment.release]) == [.repeated, .repeated])
        }
    }

    @Test("comes too late for a settlement and for every other final decision, and says what is stored")
    func decided() async throws {
        try await withLedger { (ledger, _) async throws in
            let payment = Payment(1)
            _ = await ledger.commit(payment.accept(settling: true))
            for state in [InvoiceState.settleRequested, .settled] {
                let stored = try #require(await ledger.commit(payment.void).stored)
                #expect(stored.state == state && stored.setID == payment.setID && stored.htlcs.count == 2)
                #expect(await ledger.commit(Payment(1, attempt: 1).void).stored?.setID == payment.setID)
                _ = await ledger.commit([payment.resolve(0), payment.resolve(1, concludes: .settled)])
            }
            let canceled = Payment(2), expired = Payment(3)
            _ = await ledger.commit([canceled.create, canceled.cancel(nil), expired.create, expired.expire])
            #expect(await ledger.commit(canceled.void).stored?.state == .canceled)
            #expect(await ledger.commit(expired.void).stored?.state == .expired)
        }
    }

    @Test("leaves the offsets dense, whatever stands beside it in the statement")
    func dense() async throws {
        try await withLedger { (ledger, _) async throws in
            let results = await ledger.commit([
                Payment(1).void, Payment(2).create, Payment(3).accept(), Payment(4).void, Payment(3).void, Payment(1).accept(settling: true),
                Payment(2).accept(settling: true), Payment(2).void,
            ])
            #expect(results.map(\.isApplied) == [true, true, true, true, true, false, true, false])
            let events = try await ledger.events(after: 0)
            #expect(events.map(\.offset) == Array(1...Int64(events.count)))
            #expect(results.flatMap(\.events).sorted { $0.offset < $1.offset } == events)
        }
    }

    @Test("needs the lease")
    func lease() async throws {
        try await withLedger(leading: false) { (ledger, _) async throws in
            #expect(await ledger.commit(Payment(1).void) == .deposed)
        }
    }
}
