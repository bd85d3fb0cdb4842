import Payments
import Testing

@Suite("The payment machine")
struct PaymentMachineTests {
    @Test("settles only after the settlement was reported durable")
    func commitThenAnswer() throws {
        var machine = machine()
        let orders = machine.offered(offer(), at: seconds(1))
        #expect(orders.held == [circuit(1, 0)])
        #expect(orders.settled.isEmpty)
        let change = try #require(orders.changes.first)
        #expect(change.change.events.map(\.type) == [.htlcAccepted, .invoiceAccepted, .invoiceSettleRequested])
        #expect(machine.persisted(change.id, .applied, at: seconds(2)).settled == [circuit(1, 0)])
    }

    @Test("a set that is completed over two nodes settles on both")
    func multiPart() throws {
        var machine = machine()
        let first = machine.offered(offer(on: 1, amount: 400), at: seconds(1))
        #expect(first.lookUps == [hash(1)] && first.changes.isEmpty)
        let second = machine.offered(offer(on: 2, amount: 600), at: seconds(2))
        let id = try #require(second.changes.first?.id)
        #expect(Set(machine.persisted(id, .repeated, at: seconds(3)).settled) == [circuit(1, 0), circuit(2, 0)])
    }

    @Test("an HTLC of a settlement is settled again when it is offered again")
    func replay() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(), at: seconds(1)).changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(1))
        machine.nodeDetached(node(1))
        // Even when the invoice has expired meanwhile, and on chain.
        #expect(machine.offered(offer(), at: seconds(9000)).settled == [circuit(1, 0)])
        #expect(machine.offered(offer(autoFailHeight: 1163, isOnChain: true), at: seconds(9001)).settled == [circuit(1, 0)])
    }

    @Test("an HTLC of a settlement is settled again although its routing would be refused today")
    func replayBeatsRefusal() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(), at: seconds(1)).changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(1))
        var again = offer()
        again.refusal = .routingRefused
        #expect(machine.offered(again, at: seconds(2)).settled == [circuit(1, 0)])
        var other = offer(2)
        other.refusal = .routingRefused
        #expect(machine.offered(other, at: seconds(2)).lookUps == [hash(2)])
        #expect(machine.found(hash(2), nil, at: seconds(2)).rejections == [.routingRefused])
    }

    @Test("an HTLC of a concluded settlement is settled again after the store was asked")
    func replayOfConcluded() throws {
        var machine = machine()
        let held = offer(amount: 400).htlc
        let late = offer(amount: 400)
        #expect(machine.offered(late, at: seconds(9000)).lookUps == [hash(1)])
        let stored = StoredSet(
            paymentHash: hash(1), state: .settled, setID: SetID(Bytes32()), terms: late.terms,
            htlcs: [.init(held: held, resolution: Resolution(isSettled: true, isOffChain: true))])
        #expect(machine.found(hash(1), stored, at: seconds(9001)).settled == [circuit(1, 0)])
        #expect(machine.liveCount == 0)
    }

    @Test("of two sets for one hash exactly one settles")
    func twoSets() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(on: 1), at: seconds(1)).changes.first?.id)
        let second = machine.offered(offer(on: 2), at: seconds(1))
        #expect(second.failed.isEmpty, "until the store has spoken, the second could be the one that was settled before")
        let orders = machine.persisted(id, .applied, at: seconds(2))
        #expect(orders.settled == [circuit(1, 0)])
        #expect(orders.failed == [circuit(2, 0)])
    }

    @Test("a settlement that the store knows of beats the set in memory")
    func storedSettlementWins() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(on: 1), at: seconds(1)).changes.first?.id)
        _ = machine.offered(offer(on: 2), at: seconds(1))
        let stored = StoredSet(
            paymentHash: hash(1), state: .settleRequested, setID: SetID(Bytes32()), terms: offer().terms,
            htlcs: [.init(held: offer(on: 2).htlc, resolution: nil)])
        let orders = machine.persisted(id, .refused(stored), at: seconds(2))
        #expect(orders.settled == [circuit(2, 0)])
        #expect(orders.failed == [circuit(1, 0)])
        #expect(machine.unresolved(on: node(2)) == [circuit(2, 0)])
    }

    @Test("fails no part while a settlement is with the store", arguments: [InvoiceTerms.Settlement.auto, .hold])
    func noFailureWhileCommitting(settlement: InvoiceTerms.Settlement) throws {
        var machine = machine()
        var id = try #require(machine.offered(offer(settlement: settlement), at: seconds(1)).changes.first?.id)
        if settlement == .hold {
            _ = machine.persisted(id, .applied, at: seconds(2))
            id = try #require(machine.settlementRequested(RequestID(1), hash(1), nil, at: seconds(3)).changes.first?.id)
        }
        #expect(machine.heightReached(5000, at: seconds(4)).failed.isEmpty)
        #expect(machine.timeReached(seconds(100_000)).failed.isEmpty)
        #expect(machine.cancellationRequested(RequestID(2), hash(1), nil, terms: offer().terms, at: seconds(5)).failed.isEmpty)
        let orders = machine.persisted(id, .repeated, at: seconds(6))
        #expect(orders.settled == [circuit(1, 0)])
        #expect(orders.replies.last == .tooLate)
    }

    @Test("holds a set until somebody settles it")
    func hold() throws {
        var machine = machine()
        let accept = try #require(machine.offered(offer(settlement: .hold), at: seconds(1)).changes.first)
        #expect(accept.change.events.map(\.type) == [.htlcAccepted, .invoiceAccepted])
        #expect(machine.persisted(accept.id, .applied, at: seconds(2)).isEmpty)
        let request = machine.settlementRequested(RequestID(1), hash(1), nil, at: seconds(3))
        #expect(request.settled.isEmpty && request.replies.isEmpty)
        let orders = machine.persisted(try #require(request.changes.first?.id), .applied, at: seconds(4))
        #expect(orders.settled == [circuit(1, 0)] && orders.replies == [.done])
    }

    @Test("a request for another set is refused")
    func otherSet() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(settlement: .hold), at: seconds(1)).changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(2))
        #expect(machine.settlementRequested(RequestID(1), hash(1), SetID(Bytes32()), at: seconds(3)).replies == [.otherSet])
        #expect(machine.cancellationRequested(RequestID(1), hash(1), SetID(Bytes32()), terms: offer().terms, at: seconds(3)).replies == [.otherSet])
    }

    @Test("an accepted set that nobody decides about is released, then failed")
    func acceptTimeout() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(settlement: .hold), at: seconds(1)).changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(2))
        #expect(machine.timeReached(seconds(61)).isEmpty)
        let release = machine.timeReached(seconds(62))
        #expect(release.failed.isEmpty)
        #expect(release.changes.first?.change.events.map(\.type) == [.htlcFailed, .invoiceReleased])
        // The race: a settle request now is too late, whatever the store says next.
        let late = machine.settlementRequested(RequestID(1), hash(1), nil, at: seconds(62))
        let orders = machine.persisted(try #require(release.changes.first?.id), .applied, at: seconds(63))
        #expect(late.isEmpty && orders.replies == [.tooLate])
        #expect(orders.rejections == [.released])
    }

    @Test("no settlement after a part's deadline came near")
    func deadline() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(settlement: .hold), at: seconds(1)).changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(2))
        let release = machine.heightReached(1141, at: seconds(3))
        #expect(release.changes.count == 1)
        #expect(machine.heightReached(1142, at: seconds(4)).failed.isEmpty)
        // One block before the node would do it, nothing waits for the store any more.
        #expect(machine.heightReached(1143, at: seconds(5)).failed == [circuit(1, 0)])
    }

    @Test("a released set whose stream was away meanwhile waits for the store beyond the deadline: another leader may have settled it")
    func deadlineAfterLoss() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(settlement: .hold), at: seconds(1)).changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(2))
        let release = machine.heightReached(1141, at: seconds(3))
        machine.nodeDetached(node(1))
        _ = machine.offered(offer(settlement: .hold), at: seconds(4))
        #expect(machine.heightReached(1143, at: seconds(5)).isEmpty)
        #expect(machine.persisted(try #require(release.changes.first?.id), .applied, at: seconds(6)).failed == [circuit(1, 0)])
    }

    @Test("an incomplete set is let go after the time for it, and only when the store was heard")
    func mppTimeout() {
        var machine = machine()
        _ = machine.offered(offer(amount: 400), at: seconds(1))
        #expect(machine.timeReached(seconds(61)).failed.isEmpty)
        #expect(machine.found(hash(1), nil, at: seconds(62)).rejections == [.timedOut])

        _ = machine.offered(offer(2, amount: 400), at: seconds(1))
        _ = machine.found(hash(2), nil, at: seconds(1))
        #expect(machine.timeReached(seconds(60)).failed.isEmpty)
        #expect(machine.timeReached(seconds(61)).rejections == [.timedOut])
        #expect(machine.liveCount == 0)
    }

    @Test("parts on a lost node do not count until they are offered again")
    func lostNode() throws {
        var machine = machine()
        _ = machine.offered(offer(on: 1, amount: 400), at: seconds(1))
        machine.nodeDetached(node(1))
        #expect(machine.offered(offer(on: 2, amount: 600), at: seconds(2)).changes.isEmpty)
        #expect(machine.offered(offer(on: 1, amount: 400), at: seconds(3)).changes.count == 1)
    }

    @Test("an accepted set with a part on a lost node is not settled")
    func settleWhileNodeAway() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(settlement: .hold), at: seconds(1)).changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(2))
        machine.nodeDetached(node(1))
        #expect(machine.settlementRequested(RequestID(1), hash(1), nil, at: seconds(3)).replies == [.nodeAway])
        _ = machine.offered(offer(settlement: .hold), at: seconds(4))
        #expect(machine.settlementRequested(RequestID(1), hash(1), nil, at: seconds(5)).changes.count == 1)
    }

    @Test("an undecided part that goes on chain releases the others and is not answered")
    func onChain() throws {
        var machine = machine()
        _ = machine.offered(offer(on: 1, amount: 400, settlement: .hold), at: seconds(1))
        let id = try #require(machine.offered(offer(on: 2, amount: 600, settlement: .hold), at: seconds(1)).changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(2))
        let release = machine.offered(offer(on: 1, amount: 400, settlement: .hold, autoFailHeight: 1163, isOnChain: true), at: seconds(3))
        let orders = machine.persisted(try #require(release.changes.first?.id), .applied, at: seconds(4))
        #expect(orders.failed == [circuit(2, 0)])
    }

    @Test("the last resolution concludes the invoice", arguments: [true, false])
    func resolution(isSettled: Bool) throws {
        var machine = machine()
        _ = machine.offered(offer(on: 1, amount: 400), at: seconds(1))
        let id = try #require(machine.offered(offer(on: 2, amount: 600), at: seconds(1)).changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(2))
        let first = machine.resolved(circuit(1, 0), Resolution(isSettled: true, isOffChain: true), at: seconds(3))
        #expect(first.changes.first?.change.events.map(\.type) == [.htlcSettled])
        let last = machine.resolved(circuit(2, 0), Resolution(isSettled: isSettled, isOffChain: true), at: seconds(4))
        #expect(last.changes.first?.change.events.map(\.type) == (isSettled ? [.htlcSettled, .invoiceSettled] : [.htlcFailed, .invoiceFailed]))
        _ = machine.persisted(try #require(last.changes.first?.id), .applied, at: seconds(5))
        #expect(machine.liveCount == 1, "until the store knows it all")
        _ = machine.persisted(try #require(first.changes.first?.id), .repeated, at: seconds(5))
        #expect(machine.liveCount == 0)
    }

    @Test("what the store knows to be settled is taken over with what the nodes have told meanwhile")
    func takenOver() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(), at: seconds(1)).changes.first?.id)
        _ = machine.resolved(circuit(1, 0), Resolution(isSettled: false, isOffChain: true), at: seconds(2))
        let stored = StoredSet(
            paymentHash: hash(1), state: .settleRequested, setID: SetID(Bytes32()), terms: offer().terms,
            htlcs: [.init(held: offer().htlc, resolution: nil)])
        let orders = machine.persisted(id, .refused(stored), at: seconds(3))
        #expect(orders.changes.first?.change.events.map(\.type) == [.htlcFailed, .invoiceFailed])
        // From here on nothing has to be asked about another HTLC.
        #expect(machine.offered(offer(on: 2), at: seconds(4)).failed == [circuit(2, 0)])
    }

    @Test("a restored settlement settles its parts as they come, and fails others")
    func restored() {
        var machine = machine()
        let set = StoredSet(
            paymentHash: hash(1), state: .settleRequested, setID: SetID(Bytes32()), terms: offer().terms,
            htlcs: [.init(held: offer(on: 1, amount: 400).htlc, resolution: nil), .init(held: offer(on: 2, amount: 600).htlc, resolution: nil)])
        machine.restored([set], at: seconds(0))
        #expect(machine.offered(offer(on: 2, amount: 600), at: seconds(1)).settled == [circuit(2, 0)])
        #expect(machine.offered(offer(on: 3), at: seconds(1)).failed == [circuit(3, 0)])
        #expect(machine.offered(offer(on: 1, amount: 400), at: seconds(1)).settled == [circuit(1, 0)])
    }

    @Test("a restored accepted set is not accepted a second time")
    func restoredAccepted() {
        var machine = machine()
        let set = StoredSet(
            paymentHash: hash(1), state: .accepted, setID: SetID(Bytes32()), terms: offer(settlement: .hold).terms,
            htlcs: [.init(held: offer().htlc, resolution: nil)])
        machine.restored([set], at: seconds(0))
        #expect(machine.offered(offer(settlement: .hold), at: seconds(1)) == [.hold(circuit(1, 0))])
        #expect(machine.settlementRequested(RequestID(1), hash(1), nil, at: seconds(2)).changes.count == 1)
    }

    @Test("cancels an invoice with and without a held set")
    func cancel() throws {
        var machine = machine()
        let untouched = machine.cancellationRequested(RequestID(1), hash(9), nil, terms: offer().terms, at: seconds(1))
        #expect(machine.persisted(try #require(untouched.changes.first?.id), .refused(nil), at: seconds(1)).replies == [.unknownInvoice])
        let id = try #require(machine.offered(offer(settlement: .hold), at: seconds(1)).changes.first?.id)
        _ = machine.persisted(id, .applied, at: seconds(2))
        let cancel = machine.cancellationRequested(RequestID(2), hash(1), nil, terms: offer().terms, at: seconds(3))
        #expect(cancel.failed.isEmpty)
        let orders = machine.persisted(try #require(cancel.changes.first?.id), .applied, at: seconds(4))
        #expect(orders.failed == [circuit(1, 0)] && orders.replies == [.done])
        #expect(machine.liveCount == 0)
    }

    @Test("too many incomplete sets on a node let the oldest go")
    func jamming() {
        var machine = machine(policy: PaymentPolicy(maximumIncompletePerNode: 2))
        for number in 1...2 {
            _ = machine.offered(offer(UInt8(number), htlcID: UInt64(number), amount: 1), at: seconds(Int64(number)))
            _ = machine.found(hash(UInt8(number)), nil, at: seconds(2))
        }
        let orders = machine.offered(offer(3, htlcID: 3, amount: 1), at: seconds(3))
        #expect(orders.failed == [circuit(1, 1)] && orders.rejections == [.overloaded])
    }

    @Test("a lower height changes nothing")
    func reorganisation() {
        var machine = machine()
        _ = machine.offered(offer(amount: 400), at: seconds(1))
        let before = machine
        #expect(machine.heightReached(900, at: seconds(2)).isEmpty)
        #expect(machine == before)
    }
}
