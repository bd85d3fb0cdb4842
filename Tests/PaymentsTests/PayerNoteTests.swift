import Payments
import Testing

@Suite("What came with a payment")
struct PayerNoteTests {
    private let note = PayerNote(json: #"{"pay_link":"pl_1"}"#, orderID: "A7")

    private func notes(_ orders: [Order]) -> [EventType: PayerNote] {
        var found: [EventType: PayerNote] = [:]
        for change in orders.changes {
            for event in change.change.events {
                if case .invoice(let facts) = event.subject, let note = facts.note { found[event.type] = note }
            }
        }
        return found
    }

    private func with(_ note: PayerNote?, _ offer: Offer) -> Offer {
        var offer = offer
        offer.note = note
        return offer
    }

    @Test("is stored with the set and told with every event of its invoice")
    func told() throws {
        var machine = machine()
        let orders = machine.offered(with(note, offer()), at: seconds(1))
        #expect(notes(orders) == [.invoiceAccepted: note, .invoiceSettleRequested: note])
        guard case .accept(let set, _)? = orders.changes.first?.change.step else { throw Missing() }
        #expect(set.note == note)
        let id = try #require(orders.changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(1))
        let ended = machine.resolved(circuit(1, 0), Resolution(isSettled: true, isOffChain: true), at: seconds(2))
        #expect(notes(ended) == [.invoiceSettled: note])
    }

    @Test("is of whichever part brought it")
    func anyPart() {
        var machine = machine()
        _ = machine.offered(offer(on: 1, amount: 400), at: seconds(1))
        #expect(notes(machine.offered(with(note, offer(on: 2, amount: 600)), at: seconds(2)))[.invoiceAccepted] == note)
    }

    @Test("is known again after a restart")
    func restored() {
        var machine = machine()
        let offered = offer()
        let stored = StoredSet(
            paymentHash: hash(1), state: .settleRequested, setID: SetID(Bytes32()), terms: offered.terms,
            htlcs: [.init(held: offered.htlc, resolution: nil)], note: note)
        machine.restored([stored], at: seconds(5))
        let ended = machine.resolved(circuit(1, 0), Resolution(isSettled: true, isOffChain: true), at: seconds(6))
        #expect(notes(ended) == [.invoiceSettled: note])
    }

    @Test("of a set that was let go is not the next one's")
    func notKept() throws {
        var machine = machine()
        _ = machine.offered(with(note, offer(on: 1, amount: 400)), at: seconds(1))
        _ = machine.found(hash(1), nil, at: seconds(1))
        _ = machine.timeReached(seconds(100))
        #expect(notes(machine.offered(offer(on: 2), at: seconds(101))) == [:])
    }

    private struct Missing: Error {}
}
