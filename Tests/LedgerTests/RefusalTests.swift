import Ledger
import Loop
import Payments
import Testing
import Wire

@Suite("What is told of a refused part")
@LoopActor
struct RefusalTests {
    private func refusal(_ payment: Payment, _ number: Int) -> CommitEntry {
        let facts = Event.HTLCFacts(
            paymentHash: payment.hash, setID: nil, circuitKey: payment.parts[0].circuitKey, amount: Millisatoshis(1), expiryHeight: 1, blocksLeft: 1,
            reason: .late)
        return CommitEntry(
            change: Change(.tell, events: [Event(.htlcFailed, .htlc(facts))], time: now), account: 1,
            rendered: [OutboxEvent(id: "evt_refusal_\(number)", type: .htlcFailed, paymentHash: payment.hash, data: "{}")])
    }

    @Test("goes to the invoice's own account")
    func account() async throws {
        try await withLedger { (ledger, _) async throws in
            var payment = Payment(1)
            payment.account = 7
            _ = await ledger.commit(payment.create)
            #expect(await ledger.commit(refusal(payment, 1)).events.map(\.account) == [7])
            #expect(try await ledger.events(after: 0, account: 1).isEmpty)
        }
    }

    @Test("is told once, twenty times an invoice at most, and never of an invoice that is not stored")
    func bounds() async throws {
        try await withLedger { (ledger, _) async throws in
            let payment = Payment(1)
            _ = await ledger.commit(payment.create)
            for number in 0..<20 { #expect(await ledger.commit(refusal(payment, number)).isApplied) }
            #expect(await ledger.commit(refusal(payment, 3)) == .repeated)
            #expect(await ledger.commit(refusal(payment, 20)).isRefused)
            #expect(await ledger.commit(refusal(Payment(2), 21)).isRefused)
            #expect(try await ledger.events(after: 0).count == 21)
        }
    }
}
