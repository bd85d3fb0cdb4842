import Payments
import Testing

/// The database is away while blocks go by: a set is not to be settled any more of which a node may have failed a part.
@Suite("A decision that comes too late")
struct WithdrawalTests {
    /// A set in two parts whose acceptance is with the store.
    private func accepting(_ settlement: InvoiceTerms.Settlement = .auto) throws -> (Machine, ChangeID) {
        var machine = machine()
        _ = machine.offered(offer(on: 1, amount: 400, settlement: settlement), at: seconds(1))
        _ = machine.found(hash(1), nil, at: seconds(1))
        let orders = machine.offered(offer(on: 2, amount: 600, settlement: settlement, autoFailHeight: 1160), at: seconds(1))
        return (machine, try #require(orders.changes.first?.id))
    }

    /// The same set, held, with the wish to settle it with the store.
    private func requesting() throws -> (Machine, ChangeID) {
        var (machine, id) = try accepting(.hold)
        _ = machine.persisted(id, .applied, at: seconds(2))
        let orders = machine.settlementRequested(RequestID(1), hash(1), nil, at: seconds(3))
        return (machine, try #require(orders.changes.first?.id))
    }

    @Test("is taken back once, at the height at which a part has no time left, and fails nothing by itself")
    func withdrawn() throws {
        for (start, id) in [try accepting(), try accepting(.hold), try requesting()] {
            var machine = start
            #expect(machine.heightReached(1140, at: seconds(4)).isEmpty)
            #expect(machine.heightReached(1141, at: seconds(5)) == [.withdraw(id)])
            #expect(machine.heightReached(1143, at: seconds(6)).isEmpty)
            #expect(machine.heightReached(1300, at: seconds(7)).isEmpty, "the nodes do it")
            #expect(machine.timeReached(seconds(100_000)).isEmpty)
        }
    }

    @Test("is taken back when a node let a part go by itself, or a part went on chain")
    func partGone() throws {
        for (start, id) in [try accepting(), try requesting()] {
            var machine = start
            #expect(machine.resolved(circuit(1, 0), Resolution(isSettled: false, isOffChain: true), at: seconds(4)) == [.withdraw(id)])
            var other = start
            let onChain = offer(on: 2, amount: 600, autoFailHeight: 1163, isOnChain: true)
            #expect(other.offered(onChain, at: seconds(4)) == [.hold(circuit(2, 0)), .withdraw(id)])
        }
    }

    @Test("that was never sent lets the parts go at once")
    func neverSent() throws {
        var (machine, id) = try accepting()
        _ = machine.heightReached(1141, at: seconds(5))
        let orders = machine.persisted(id, .withdrawn(mayBeStored: false), at: seconds(6))
        #expect(Set(orders.failed) == [circuit(1, 0), circuit(2, 0)] && orders.changes.isEmpty)
        #expect(machine.liveCount == 0)
    }

    @Test("that was never sent asks the store first if it has not been heard since the stream began")
    func neverSentUnknown() throws {
        var machine = machine()
        let id = try #require(machine.offered(offer(), at: seconds(1)).changes.first?.id)
        _ = machine.heightReached(1141, at: seconds(5))
        let orders = machine.persisted(id, .withdrawn(mayBeStored: false), at: seconds(6))
        #expect(orders == [.lookUp(hash(1))])
        #expect(machine.found(hash(1), nil, at: seconds(7)).rejections == [.released])

        var (known, second) = try accepting()
        known.nodeDetached(node(1))
        _ = known.offered(offer(on: 1, amount: 400), at: seconds(2))
        _ = known.heightReached(1141, at: seconds(5))
        #expect(known.persisted(second, .withdrawn(mayBeStored: false), at: seconds(6)) == [.lookUp(hash(1))])
    }

    @Test("that was never sent leaves a held set released, whoever asked")
    func neverSentRequest() throws {
        var (machine, id) = try requesting()
        _ = machine.heightReached(1141, at: seconds(5))
        let release = machine.persisted(id, .withdrawn(mayBeStored: false), at: seconds(6))
        #expect(release.failed.isEmpty)
        #expect(release.changes.first?.change.events.map(\.type) == [.htlcFailed, .htlcFailed, .invoiceReleased])
        let orders = machine.persisted(try #require(release.changes.first?.id), .applied, at: seconds(7))
        #expect(Set(orders.failed) == [circuit(1, 0), circuit(2, 0)] && orders.replies == [.tooLate])
    }

    @Test("that may have been stored is made void, and only when that is durable the parts are failed")
    func void() throws {
        for (start, id) in [try accepting(), try accepting(.hold), try requesting()] {
            var machine = start
            _ = machine.heightReached(1141, at: seconds(5))
            let void = machine.persisted(id, .withdrawn(mayBeStored: true), at: seconds(6))
            #expect(void.failed.isEmpty)
            let change = try #require(void.changes.first)
            guard case .void(let set) = change.change.step else { throw Unexpected() }
            #expect(set.htlcs.map(\.circuitKey) == [circuit(1, 0), circuit(2, 0)])
            #expect(change.change.events.map(\.type) == [.htlcFailed, .htlcFailed, .invoiceReleased])
            #expect(machine.heightReached(1500, at: seconds(7)).isEmpty, "still unknown: the nodes do it")
            let orders = machine.persisted(change.id, .applied, at: seconds(8))
            #expect(Set(orders.failed) == [circuit(1, 0), circuit(2, 0)])
            #expect(machine.liveCount == 0)
        }
    }

    private struct Unexpected: Error {}

    @Test("that turns out to be stored is settled, before and after the void")
    func stored() throws {
        for (start, id) in [try accepting(), try requesting()] {
            var machine = start
            _ = machine.heightReached(1141, at: seconds(5))
            var early = machine
            #expect(Set(early.persisted(id, .repeated, at: seconds(6)).settled) == [circuit(1, 0), circuit(2, 0)])

            let void = try #require(machine.persisted(id, .withdrawn(mayBeStored: true), at: seconds(6)).changes.first)
            let stored = StoredSet(
                paymentHash: hash(1), state: .settleRequested, setID: SetID(Bytes32()), terms: offer().terms,
                htlcs: [.init(held: offer(on: 1, amount: 400).htlc, resolution: nil), .init(held: offer(on: 2, amount: 600).htlc, resolution: nil)])
            let orders = machine.persisted(void.id, .refused(stored), at: seconds(7))
            #expect(Set(orders.settled) == [circuit(1, 0), circuit(2, 0)] && orders.failed.isEmpty)
        }
    }

    @Test("whose void the store could not take is voided again at the next block")
    func voidNotTaken() throws {
        var (machine, id) = try accepting()
        _ = machine.heightReached(1141, at: seconds(5))
        let void = try #require(machine.persisted(id, .withdrawn(mayBeStored: true), at: seconds(6)).changes.first)
        #expect(machine.persisted(void.id, .refused(nil), at: seconds(7)).isEmpty)
        let again = try #require(machine.heightReached(1142, at: seconds(8)).changes.first)
        #expect(again.change.step == void.change.step)
        #expect(machine.heightReached(1143, at: seconds(9)).isEmpty)
        #expect(Set(machine.persisted(again.id, .repeated, at: seconds(10)).failed) == [circuit(1, 0), circuit(2, 0)])
    }

    @Test("that the store could not take releases the held set")
    func requestNotTaken() throws {
        var (machine, id) = try requesting()
        let accepted = StoredSet(
            paymentHash: hash(1), state: .accepted, setID: SetID(of: [circuit(1, 0), circuit(2, 0)], by: StandInHash.self),
            terms: offer().terms, htlcs: [])
        let release = try #require(machine.persisted(id, .refused(accepted), at: seconds(4)).changes.first)
        let orders = machine.persisted(release.id, .applied, at: seconds(5))
        #expect(Set(orders.failed) == [circuit(1, 0), circuit(2, 0)] && orders.replies == [.tooLate])
    }

    @Test("leaves the invoice payable by another set")
    func again() throws {
        var (machine, id) = try accepting()
        _ = machine.heightReached(1141, at: seconds(5))
        let void = try #require(machine.persisted(id, .withdrawn(mayBeStored: true), at: seconds(6)).changes.first)
        _ = machine.persisted(void.id, .applied, at: seconds(7))
        let later = offer(on: 1, htlcID: 9, outgoingExpiry: 1230, incomingExpiry: 1310, autoFailHeight: 1290)
        let accept = try #require(machine.offered(later, at: seconds(8)).changes.first)
        #expect(machine.persisted(accept.id, .applied, at: seconds(9)).settled == [circuit(1, 9)])
    }

    @Test("does not settle an on-chain part, and does not answer it either")
    func onChain() throws {
        var (machine, id) = try accepting()
        _ = machine.offered(offer(on: 2, amount: 600, autoFailHeight: 1163, isOnChain: true), at: seconds(4))
        let void = try #require(machine.persisted(id, .withdrawn(mayBeStored: true), at: seconds(6)).changes.first)
        #expect(machine.persisted(void.id, .applied, at: seconds(7)).failed == [circuit(1, 0)])
    }

    @Test("answers those who wait for it")
    func requests() throws {
        var (machine, id) = try accepting(.hold)
        _ = machine.heightReached(1141, at: seconds(5))
        #expect(machine.settlementRequested(RequestID(1), hash(1), nil, at: seconds(6)).isEmpty)
        var sent = machine
        #expect(machine.persisted(id, .withdrawn(mayBeStored: false), at: seconds(7)).replies == [.notAccepted])
        let void = try #require(sent.persisted(id, .withdrawn(mayBeStored: true), at: seconds(7)).changes.first)
        #expect(sent.cancellationRequested(RequestID(2), hash(1), nil, terms: offer().terms, at: seconds(8)).isEmpty)
        #expect(sent.persisted(void.id, .applied, at: seconds(9)).replies == [.tooLate, .notAccepted])
    }
}
