import Ledger
import Loop
import Payments
import TestSupport
import Wire
import Testing

@Suite("A commit")
@LoopActor
struct CommitTests {
    @Test("tells an invoice's whole life in order, with dense offsets, and stores every field")
    func life() async throws {
        try await withLedger { (ledger, _) async throws in
            let payment = Payment(1)
            var told: [PublishedEvent] = []
            for entry in [
                payment.create, payment.accept(), payment.requestSettlement, payment.resolve(0), payment.resolve(1, concludes: .settled),
            ] {
                let result = await ledger.commit(entry)
                #expect(result.isApplied)
                told += result.events
            }
            #expect(told.map(\.offset) == Array(1...8))
            #expect(told.map(\.type) == [
                .invoiceCreated, .htlcAccepted, .htlcAccepted, .invoiceAccepted, .invoiceSettleRequested, .htlcSettled, .htlcSettled,
                .invoiceSettled,
            ])
            #expect(try await ledger.events(after: 0) == told)
            #expect(try await ledger.stream().head == 8)

            var expected = payment.record
            expected.state = .settled
            expected.received = Millisatoshis(2_000)
            expected.setID = payment.setID
            expected.settledAt = now
            expected.preimage = payment.preimage
            #expect(try await ledger.invoice(payment.hash) == expected)
            let stored = try #require(await ledger.lookup([payment.hash]).first)
            #expect(stored.htlcs.map(\.held) == payment.parts.sorted { $0.circuitKey < $1.circuitKey })
            #expect(stored.htlcs.allSatisfy { $0.resolution == Resolution(isSettled: true, isOffChain: true) })
        }
    }

    @Test("of everything that is ready in one turn is one statement, and an invoice's changes apply in order")
    func sameTurn() async throws {
        try await withLedger { (ledger, _) async throws in
            var batches: [Int] = []
            ledger.onBatch = { entries, _ in batches.append(entries) }
            let one = Payment(1), two = Payment(2)
            let results = await ledger.commit([
                one.create, two.create, one.accept(), one.requestSettlement, two.cancel(nil), one.resolve(0),
                one.resolve(1, concludes: .settled), two.accept(),
            ])
            #expect(batches == [8])
            #expect(results.filter(\.isApplied).count == 7)
            #expect(results.last?.stored?.state == .canceled)
            let offsets = try await ledger.events(after: 0).map(\.offset)
            #expect(offsets == Array(1...10))
            #expect(try await ledger.events(after: 0, paymentHash: one.hash).map(\.type).last == .invoiceSettled)
        }
    }

    @Test("repeated is the same as once")
    func repeated() async throws {
        try await withLedger { (ledger, _) async throws in
            let payment = Payment(1)
            for entry in [
                payment.create, payment.accept(), payment.requestSettlement, payment.resolve(0), payment.resolve(1, concludes: .settled),
            ] {
                #expect(await ledger.commit(entry).isApplied)
                #expect(await ledger.commit(entry) == .repeated)
                #expect(await ledger.commit([entry, entry]) == [.repeated, .repeated])
            }
            for payment in [Payment(2)] {
                for entry in [payment.create, payment.accept(), payment.release, payment.expire] {
                    #expect(await ledger.commit([entry, entry]).map(\.isApplied) == [true, false])
                }
                #expect(await ledger.commit(payment.release) == .repeated)
            }
            #expect(await ledger.commit(tell("evt_a")).isApplied)
            #expect(await ledger.commit(tell("evt_a")) == .repeated)
            let events = try await ledger.events(after: 0)
            #expect(events.map(\.offset) == Array(1...Int64(events.count)))
            #expect(events.count == 8 + 6 + 1)
        }
    }

    @Test("that settles an accepted set does not tell again that it was accepted")
    func acceptedOnce() async throws {
        try await withLedger { (ledger, _) async throws in
            let payment = Payment(1)
            _ = await ledger.commit(payment.accept())
            let result = await ledger.commit(payment.accept(settling: true))
            #expect(result.events.map(\.type) == [.invoiceSettleRequested])
            #expect(result.events.map(\.offset) == [4])
            #expect(try await ledger.events(after: 0).map(\.type).filter { $0 == .invoiceAccepted }.count == 1)
            #expect(try await ledger.invoice(payment.hash)?.preimage == payment.preimage)
        }
    }

    @Test("that is not admitted is refused with what is stored and tells nothing")
    func refused() async throws {
        try await withLedger { (ledger, _) async throws in
            let first = Payment(1), second = Payment(1, attempt: 1)
            #expect(await ledger.commit(first.requestSettlement) == .refused(nil))
            _ = await ledger.commit([first.create, first.accept()])
            let head = try await ledger.stream().head
            for entry in [second.accept(settling: true), second.requestSettlement, second.release, second.cancel(nil), second.cancel(second.setID), second.expire] {
                let result = await ledger.commit(entry)
                #expect(result.stored?.state == .accepted)
                #expect(result.stored?.setID == first.setID)
                #expect(result.stored?.htlcs.count == 2)
            }
            #expect(await ledger.commit(second.resolve(0)).isRefused)
            // Neither can an invoice be concluded before its settlement was requested or while HTLCs are unresolved.
            #expect(await ledger.commit(first.resolve(0, concludes: .settled)).isRefused)
            _ = await ledger.commit(first.requestSettlement)
            #expect(await ledger.commit(first.resolve(0, concludes: .settled)).isRefused)
            #expect(try await ledger.stream().head == head + 1)
        }
    }

    @Test("never accepts an HTLC again that was failed back, and keeps its history")
    func released() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let first = Payment(1), second = Payment(1, attempt: 1)
            _ = await ledger.commit([first.create, first.accept(), first.release])
            let open = try #require(await ledger.lookup([first.hash]).first)
            #expect(open.state == .open)
            #expect(open.setID == first.setID)
            #expect(try await ledger.invoice(first.hash)?.received == .zero)
            #expect(await ledger.commit(first.accept()).isRefused)
            #expect(await ledger.commit(first.accept(settling: true)).isRefused)
            #expect(await ledger.commit(second.accept(settling: true)).isApplied)
            #expect(await ledger.commit(first.release) == .repeated)
            #expect(TestServer.sql("SELECT count(*), count(*) FILTER (WHERE was_failed_back) FROM htlcs", in: dsn) == "4|2")
        }
    }

    @Test("with a failed HTLC ends the invoice as failed")
    func failed() async throws {
        try await withLedger { (ledger, _) async throws in
            let payment = Payment(1)
            _ = await ledger.commit([payment.accept(settling: true), payment.resolve(0), payment.resolve(1, settled: false, concludes: .failed)])
            let invoice = try #require(try await ledger.invoice(payment.hash))
            #expect(invoice.state == .failed)
            #expect(invoice.settledAt == nil)
            #expect(await ledger.commit(payment.resolve(0, settled: false)).stored?.htlcs.count == 2)
        }
    }

    @Test("that the server rejects is answered alone; its neighbours are stored")
    func poison() async throws {
        try await withLedger { (ledger, _) async throws in
            var poison = Payment(50).create
            poison.rendered[0].data = "\u{0}"
            var entries = (0..<100).map { Payment($0).create }
            entries[50] = poison
            let results = await ledger.commit(entries)
            #expect(results.filter(\.isApplied).count == 99)
            #expect(results[50] == .failed(sqlState: "22021", nil))
            #expect(try await ledger.stream().head == 99)
        }
    }

    @Test("that the server rejects is answered with what is stored")
    func rejected() async throws {
        try await withLedger { (ledger, _) async throws in
            let payment = Payment(1)
            _ = await ledger.commit(payment.create)
            var poison = payment.accept(settling: true)
            poison.rendered[0].data = "\u{0}"
            let refusal = try #require(await ledger.commit(poison).failure)
            #expect(refusal.sqlState == "22021" && refusal.stored?.state == .open)
            _ = await ledger.commit(payment.accept(settling: true))
            let late = try #require(await ledger.commit(poison).failure)
            #expect(late.stored?.state == .settleRequested && late.stored?.setID == payment.setID)
        }
    }

    @Test("waits while the server is not ready for any entry", arguments: [
        ("ALTER FUNCTION leyden_commit RENAME TO away", "ALTER FUNCTION away RENAME TO leyden_commit"),
        ("ALTER TABLE htlcs RENAME TO away", "ALTER TABLE away RENAME TO htlcs"),
        ("ALTER TABLE invoices RENAME COLUMN state TO away", "ALTER TABLE invoices RENAME COLUMN away TO state"),
    ])
    func notReady(breaking: String, mending: String) async throws {
        try await withLedger { (ledger, dsn) async throws in
            TestServer.sql(breaking, in: dsn)
            async let result = ledger.commit(Payment(1).accept(settling: true))
            try await Task.sleep(for: .milliseconds(150))
            #expect(ledger.pendingCommits == 1)
            TestServer.sql(mending, in: dsn)
            #expect(await result.isApplied)
        }
    }

    @Test("waits for what is the server's trouble and answers what is the entry's")
    func troubles() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let trigger = "CREATE OR REPLACE FUNCTION on_accept() RETURNS trigger LANGUAGE plpgsql AS"
            func raise(_ state: String) { TestServer.sql("\(trigger) 'BEGIN RAISE EXCEPTION ''no'' USING ERRCODE = ''\(state)''; END'", in: dsn) }
            raise("XX000")
            TestServer.sql("CREATE TRIGGER on_accept BEFORE INSERT ON htlcs FOR EACH ROW EXECUTE FUNCTION on_accept()", in: dsn)
            for (number, state) in ["XX000", "XX001", "53100", "53200", "57014", "57P01", "58030", "25006", "40001", "42883", "42P01", "42501", "0A000"].enumerated() {
                raise(state)
                async let result = ledger.commit(Payment(number).accept(settling: true))
                try await Task.sleep(for: .milliseconds(30))
                #expect(ledger.pendingCommits == 1, "\(state)")
                TestServer.sql("\(trigger) 'BEGIN RETURN NEW; END'", in: dsn)
                #expect(await result.isApplied, "\(state)")
            }
            for state in ["22003", "22021", "23505", "23514", "54000", "P0001"] {
                raise(state)
                #expect(await ledger.commit(Payment(99).accept(settling: true)) == .failed(sqlState: state, nil))
            }
        }
    }

    @Test("leaves an invoice with the account it has, and its events too")
    func account() async throws {
        try await withLedger { (ledger, _) async throws in
            var payment = Payment(1)
            payment.account = 7
            _ = await ledger.commit(payment.create)
            payment.account = 1
            let result = await ledger.commit(payment.accept())
            #expect(result.events.allSatisfy { $0.account == 7 })
            #expect(try await ledger.events(after: 0, account: 7).count == 4)
            #expect(try await ledger.events(after: 0, account: 1).isEmpty)
            #expect(try await ledger.invoice(payment.hash, account: 1) == nil)
        }
    }
}
