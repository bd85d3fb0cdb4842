import Payments
import Testing

@Suite("Why an HTLC failed")
struct HTLCFailureTests {
    private func reasons(_ orders: [Order]) -> [HTLCFailure?] {
        orders.changes.flatMap(\.change.events).compactMap { if case .htlc(let facts) = $0.subject { facts.reason } else { .none } }
    }

    @Test("is told with every part of an accepted set that is let go")
    func accepted() throws {
        for (isCanceled, reason) in [(true, HTLCFailure.canceled), (false, .released)] {
            var machine = machine()
            let id = try #require(machine.offered(offer(settlement: .hold), at: seconds(1)).changes.first?.id)
            _ = machine.persisted(id, .applied, at: seconds(1))
            let orders = isCanceled
                ? machine.cancellationRequested(RequestID(1), hash(1), nil, terms: offer().terms, at: seconds(2)) : machine.timeReached(seconds(100))
            #expect(reasons(orders) == [reason])
        }
    }

    @Test("of a settled set is that the node lost it")
    func lost() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(), at: seconds(1)).changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(1))
        #expect(reasons(machine.resolved(circuit(1, 0), Resolution(isSettled: false, isOffChain: true), at: seconds(2))) == [.lost])
    }

    @Test("stays the payer's own mistake when the store knows the invoice as over")
    func late() {
        var machine = machine()
        let late = offer()
        _ = machine.offered(late, at: seconds(3601))
        let stored = StoredSet(paymentHash: hash(1), state: .expired, setID: nil, terms: late.terms, htlcs: [])
        #expect(machine.found(hash(1), stored, at: seconds(3601)).rejections == [.late])
    }

    @Test("is told only where it is between payer and merchant")
    func told() {
        #expect([Rejection.late, .underpaid, .overpaid, .timedOut].map { HTLCFailure($0) } == [.late, .underpaid, .overpaid, .incomplete])
        for rejection in [Rejection.notPayable, .noAmount, .totalMismatch, .expiryRefused, .setFull, .released, .overloaded, .routingRefused] {
            #expect(HTLCFailure(rejection) == nil)
        }
    }

    @Test("is not asked of what was paid beyond the amount: that is a difference")
    func overpaid() {
        #expect(Millisatoshis(1500).beyond(Millisatoshis(1000)) == Millisatoshis(500))
        #expect(Millisatoshis(1000).beyond(Millisatoshis(1000)) == .zero && Millisatoshis(1).beyond(nil) == .zero)
    }
}
