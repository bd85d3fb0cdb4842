@testable import Gateway
import Ledger
import Loop
import Payments
import TestSupport
import Testing

@testable import lnsim

@LoopActor
@Suite(.serialized) struct PaymentGatewayTests {
    /// A hold invoice whose two parts are accepted.
    private func held(_ copy: SimulatedCopy, _ gateway: PaymentGateway) async throws -> (InvoiceRecord, SimulatedCopy.Attempt) {
        let invoice = try copy.invoice(gateway, .hold)
        let attempt = try copy.pay(invoice)
        try #require(await eventually { copy.sql("SELECT state FROM invoices") == "accepted" && gateway.livePayments == 1 })
        return (invoice, attempt)
    }

    @Test("a leader that loses its lease stops its nodes, forgets what it holds and answers who waits; the next term goes on")
    func leaseLost() async throws {
        try await withCopy { copy in
            let gateway = try await copy.runningGateway()
            let (invoice, attempt) = try await held(copy, gateway)
            copy.stealLease()
            // It does not know yet: the store tells it, by the term of this very change.
            #expect(gateway.isLeader)
            #expect(await gateway.request(.settle, invoice) == .nodeAway)
            #expect(!gateway.isLeader && gateway.nodesAreStopped && gateway.livePayments == 0)
            #expect(await gateway.request(.settle, invoice) == .nodeAway)
            #expect(await gateway.request(.cancel, invoice) == .nodeAway)
            #expect(await eventually { copy.network.nodes.allSatisfy { !$0.isIntercepted } })
            #expect(copy.heldCount == 2 && attempt.status == nil, "the nodes hold what nobody has decided")
            #expect(copy.sql("SELECT state FROM invoices") == "accepted")

            copy.returnLease()
            try #require(await eventually { gateway.receivingNodes.count == 2 && gateway.livePayments == 1 })
            var reply = await gateway.request(.settle, invoice)
            // Until each node has offered its part again.
            while reply == .nodeAway {
                await aWhile()
                reply = await gateway.request(.settle, invoice)
            }
            #expect(reply == .done)
            #expect(await eventually { attempt.status == .succeeded })
        }
    }

    @Test("a stateless invoice is the account's that made it when it is paid, and so are its events")
    func statelessAccount() async throws {
        try await withCopy { copy in
            let gateway = try await copy.runningGateway()
            let attempt = try copy.pay(copy.invoice(gateway, .auto, account: 7))
            #expect(await eventually { attempt.status == .succeeded })
            #expect(copy.sql("SELECT account FROM invoices") == "7")
            #expect(copy.sql("SELECT DISTINCT account FROM events WHERE payment_hash IS NOT NULL") == "7")
        }
    }

    @Test("a leader that does nothing notices by itself that its lease is gone")
    func leaseLostIdle() async throws {
        try await withCopy { copy in
            let gateway = try await copy.runningGateway()
            copy.stealLease()
            #expect(await eventually { !gateway.isLeader })
            #expect(gateway.nodesAreStopped)
        }
    }

    @Test("nodes are started only when the store has told what is undecided, and a request before that is put off")
    func restoredFirst() async throws {
        try await withCopy { copy in
            let first = try await copy.runningGateway()
            let (invoice, attempt) = try await held(copy, first)
            await first.stop()
            let lock = OpenTransaction("LOCK TABLE invoices", in: copy.dsn)
            let second = try copy.gateway("two")
            second.start()
            try #require(await eventually { second.isLeader })
            await aWhile()
            #expect(second.nodesAreStopped && second.livePayments == 0)
            #expect(await second.request(.settle, invoice) == .nodeAway)
            lock.rollBack()
            try #require(await eventually { second.receivingNodes.count == 2 })
            #expect(second.livePayments == 1 && attempt.status == nil)
            #expect(await eventually { copy.heldCount == 2 })
            var reply = await second.request(.cancel, invoice)
            while reply == .nodeAway { reply = await second.request(.cancel, invoice) }
            #expect(reply == .done)
            #expect(await eventually { attempt.status == .failed })
            #expect(copy.sql("SELECT state FROM invoices") == "canceled")
        }
    }

    @Test("what was asked of the store in an older term starts nothing")
    func staleRestore() async throws {
        try await withCopy { copy in
            let gateway = try await copy.runningGateway()
            let (_, attempt) = try await held(copy, gateway)
            copy.stealLease()
            try #require(await eventually { !gateway.isLeader })
            let lock = OpenTransaction("LOCK TABLE invoices", in: copy.dsn)
            copy.returnLease()
            try #require(await eventually { gateway.isLeader })
            copy.stealLease()
            try #require(await eventually { !gateway.isLeader })
            lock.rollBack()
            await aWhile()
            #expect(gateway.nodesAreStopped && gateway.livePayments == 0)
            #expect(copy.network.nodes.allSatisfy { !$0.isIntercepted })
            copy.returnLease()
            try #require(await eventually { gateway.receivingNodes.count == 2 })
            #expect(gateway.livePayments == 1 && attempt.status == nil)
        }
    }

    @Test("a gateway that stops gives the lease back and leaves what is held to the next one")
    func stopped() async throws {
        try await withCopy { copy in
            let first = try copy.gateway("one", leaseMilliseconds: 60_000)
            first.start()
            try #require(await eventually { first.receivingNodes.count == 2 })
            let (invoice, attempt) = try await held(copy, first)
            await first.stop()
            #expect(!first.isLeader && first.nodesAreStopped && first.livePayments == 0)
            #expect(copy.sql("SELECT leader IS NULL FROM stream") == "t")
            #expect(copy.heldCount == 2 && attempt.status == nil)
            let second = try await copy.runningGateway("two")
            var reply = await second.request(.settle, invoice)
            while reply == .nodeAway { reply = await second.request(.settle, invoice) }
            #expect(reply == .done)
            #expect(await eventually { attempt.status == .succeeded })
        }
    }

    @Test("a standby intercepts nothing and decides nothing until the lease is free")
    func standby() async throws {
        try await withCopy { copy in
            let first = try await copy.runningGateway()
            let (invoice, attempt) = try await held(copy, first)
            let second = try copy.gateway("two")
            second.start()
            try #require(await eventually { second.ledger.state == .connected })
            await aWhile()
            #expect(!second.isLeader && second.nodesAreStopped)
            #expect(await second.request(.settle, invoice) == .nodeAway)
            #expect(await first.request(.settle, invoice) == .done)
            #expect(await eventually { attempt.status == .succeeded })
        }
    }

    @Test("a set that waits for the database is let go when a part has no time left, and nothing of it is stored")
    func tooLate() async throws {
        try await withCopy { copy in
            let gateway = try await copy.runningGateway()
            let invoice = try copy.invoice(gateway, .auto)
            TestServer.open(false, copy.dsn)
            try #require(await eventually { gateway.ledger.state != .connected })
            let waiting = gateway.ledger.pendingCommits
            let attempt = try copy.pay(invoice, longer: 400)
            try #require(await eventually { gateway.ledger.pendingCommits > waiting })
            copy.network.mine(200)
            try #require(await eventually { copy.heldCount == 1 })
            TestServer.open(true, copy.dsn)
            #expect(await eventually { attempt.status == .failed })
            #expect(attempt.payment?.isTorn == false)
            #expect(copy.sql("SELECT count(*) FROM invoices") == "0")
            #expect(copy.sql("SELECT count(*) FROM events WHERE type LIKE 'htlc.%'") == "0")
        }
    }

    @Test("a set that the store can never take is let go, not held until the nodes do it")
    func neverTaken() async throws {
        try await withCopy { copy in
            let gateway = try await copy.runningGateway()
            _ = copy.sql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''never''; END'")
            _ = copy.sql("CREATE TRIGGER refuse BEFORE INSERT ON htlcs FOR EACH ROW EXECUTE FUNCTION refuse()")
            let attempt = try copy.pay(try copy.invoice(gateway, .auto))
            #expect(await eventually { attempt.status == .failed })
            #expect(await eventually { gateway.livePayments == 0 })
            #expect(gateway.isLeader && gateway.receivingNodes.count == 2)
        }
    }
}
