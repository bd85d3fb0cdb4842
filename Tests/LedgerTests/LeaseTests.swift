import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("The lease")
@LoopActor
struct LeaseTests {
    @Test("fences: a leader that was deposed while it slept commits nothing")
    func fencing() async throws {
        try await withLedger(leading: false) { (old, dsn) async throws in
            let new = try await startedLedger(dsn)
            let payment = Payment(1)
            #expect(try await old.acquireLease(instance: "old", milliseconds: 1) == 1)
            try await Task.sleep(for: .milliseconds(5))
            #expect(try await new.acquireLease(instance: "new", milliseconds: 60_000) == 2)
            #expect(await old.commit(payment.accept(settling: true)) == .deposed)
            #expect(old.currentTerm == nil)
            #expect(await new.lookup([payment.hash]).isEmpty)
            #expect(try await new.stream().head == 0)
            #expect(await new.commit(payment.accept(settling: true)).isApplied)
            new.close()
        }
    }

    @Test("is not needed to create an invoice, deposed or not")
    func createWithoutLease() async throws {
        try await withLedger(leading: false) { (old, dsn) async throws in
            _ = try await old.acquireLease(instance: "old", milliseconds: 1)
            TestServer.sql("UPDATE stream SET term = term + 1, leader = 'new'", in: dsn)
            let results = await old.commit([Payment(1).create, Payment(2).accept(), Payment(3).create, tell("evt_x")])
            #expect(results.map(\.isApplied) == [true, false, true, true], "\(results)")
            #expect(results[1] == .deposed)
        }
    }

    @Test("is held by one at a time, prolonged by its holder and handed on when given back")
    func election() async throws {
        try await withLedger(leading: false) { (one, dsn) async throws in
            let two = try await startedLedger(dsn)
            #expect(try await one.acquireLease(instance: "one", milliseconds: 60_000) == 1)
            #expect(try await two.acquireLease(instance: "two", milliseconds: 60_000) == nil)
            #expect(try await two.renewLease(milliseconds: 1_000) == false)
            #expect(try await one.renewLease(milliseconds: 60_000))
            #expect(try await two.stream().isLed)
            try await one.releaseLease()
            #expect(one.currentTerm == nil)
            #expect(try await two.stream().leader == nil)
            #expect(await one.commit(Payment(1).accept()) == .deposed)
            #expect(try await two.acquireLease(instance: "two", milliseconds: 60_000) == 2)
            #expect(try await one.renewLease(milliseconds: 1_000) == false)
            two.close()
        }
    }

    @Test("that was lost and won again does not carry over what was handed over before")
    func termsDoNotMix() async throws {
        try await withLedger(leading: false) { (ledger, _) async throws in
            _ = try await ledger.acquireLease(instance: "one", milliseconds: 60_000)
            var result: CommitResult?
            // The election is sent before the batch, which goes out at the end of the turn.
            await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                ledger.acquireLease(instance: "one", milliseconds: 60_000) { _ in }
                ledger.commit(Payment(1).accept(settling: true)) {
                    result = $0
                    done.resume()
                }
            }
            #expect(result == .deposed)
            let again = await ledger.commit(Payment(1).accept(settling: true))
            #expect(again.isApplied, "\(again)")
        }
    }
}
