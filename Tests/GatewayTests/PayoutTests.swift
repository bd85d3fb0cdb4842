@testable import Gateway
import Bolt
import Keys
import Ledger
import Lightning
import Loop
import Payments
import TestSupport
import Testing

@testable import lnsim

@Suite("Payouts through simulated nodes")
@LoopActor
struct PayoutTests {
    @Test("are paid, told, and in the books with what they cost")
    func settled() async throws {
        try await withCopy { copy in
            let gateway = try await copy.payingGateway()
            let payout = try await copy.settle(gateway, amount: 1_000_000)
            #expect(payout.state == .settled && payout.fee == Millisatoshis(1_000) && payout.attempt == 1)
            let preimage = try #require(payout.preimage)
            #expect(LibCrypto.sha256(preimage.bytes.storage.span) == payout.intent.paymentHash.bytes)
            #expect(copy.sql("SELECT spent_msat || ' ' || reserved_msat FROM balances") == "1001000 0")
            #expect(copy.paymentEvents == "payment.created payment.sending payment.settled")
            #expect(copy.paid == 1 && copy.network.payees.paidTwice == 0)
        }
    }

    @Test("to a key carry their preimage with them")
    func keysend() async throws {
        try await withCopy { copy in
            let gateway = try await copy.payingGateway()
            let preimage = Preimage(SecureRandom.bytes32())
            let intent = PayoutIntent(
                id: PayoutID("pay_key"), account: 1, paymentHash: PaymentHash(LibCrypto.sha256(preimage.bytes.storage.span)),
                destination: copy.network.nodes[1].publicKey, amount: Millisatoshis(5_000), feeLimit: Millisatoshis(100), spontaneous: preimage,
                customRecords: [65_536: [1]], createdAt: gateway.now)
            let payout = try await copy.end(gateway, intent)
            #expect(payout.state == .settled && payout.node == copy.network.nodes[0].publicKey, "a node does not pay itself")
        }
    }

    @Test("go to another node after a definite failure, and to no third")
    func otherNode() async throws {
        try await withCopy { copy in
            let gateway = try await copy.payingGateway()
            copy.plan(0, PaymentPlan(outcome: .fail))
            let payout = try await copy.settle(gateway, amount: 1_000)
            #expect(payout.state == .settled && payout.tried == [copy.network.nodes[0].publicKey] && payout.attempt == 2)
            copy.plan(0, PaymentPlan(outcome: .fail))
            copy.plan(1, PaymentPlan(outcome: .fail))
            let failed = try await copy.settle(gateway, amount: 1_000)
            #expect(failed.state == .failed && failed.failure == .noRoute && failed.attempt == 2)
            #expect(copy.sql("SELECT reserved_msat FROM balances") == "0")
        }
    }

    @Test("that answer after our time-out end as settled, and were unknown until then")
    func lateAnswer() async throws {
        try await withCopy { copy in
            let gateway = try await copy.payingGateway()
            copy.plan(0, PaymentPlan(milliseconds: nil))
            let intent = try copy.intent(gateway, amount: 1_000, timeoutSeconds: 1)
            #expect(await gateway.make(intent))
            try #require(await eventually { copy.state(intent) == "unknown" })
            #expect(copy.network.nodes[0].wallet.end(intent.paymentHash, fails: nil))
            try #require(await eventually { copy.state(intent) == "settled" })
            #expect(copy.paid == 1)
        }
    }

    @Test("survive every accident of connection and node, and are paid once", arguments: [
        PaymentPlan.Accident.breakBefore, .breakAfter, .dieBefore, .dieAfter, .exists,
    ])
    func accidents(accident: PaymentPlan.Accident) async throws {
        try await withCopy { copy in
            let gateway = try await copy.payingGateway()
            copy.plan(0, PaymentPlan(milliseconds: 300, accident: accident, downMilliseconds: 50))
            let payout = try await copy.settle(gateway, amount: 1_000)
            #expect(payout.state == .settled)
            #expect(copy.paid == 1 && copy.network.payees.paidTwice == 0)
        }
    }

    @Test("that cost more than they were allowed to are booked with what they cost")
    func feeBeyondLimit() async throws {
        try await withCopy { copy in
            let gateway = try await copy.payingGateway()
            copy.plan(0, PaymentPlan(fee: Millisatoshis(50_000)))
            let payout = try await copy.settle(gateway, amount: 1_000, feeLimit: 10)
            #expect(payout.state == .settled && payout.feeBeyondLimit == Millisatoshis(49_990))
            #expect(copy.sql("SELECT spent_msat FROM balances") == "51000")
        }
    }

    @Test("of one leader are followed by the next, and not sent again")
    func nextLeader() async throws {
        try await withCopy { copy in
            let gateway = try await copy.payingGateway()
            copy.plan(0, PaymentPlan(milliseconds: nil))
            let intent = try copy.intent(gateway, amount: 1_000)
            #expect(await gateway.make(intent))
            try #require(await eventually { copy.network.nodes[0].wallet.wallet.inFlight == 1 })
            await withCheckedContinuation { done in gateway.resign { done.resume() } }
            let next = try await copy.payingGateway("two")
            try #require(await eventually { copy.state(intent) == "unknown" })
            #expect(copy.network.nodes[0].wallet.end(intent.paymentHash, fails: nil))
            try #require(await eventually { copy.state(intent) == "settled" })
            #expect(copy.paid == 1 && next.isLeader)
        }
    }

    @Test("of many, with faults at random, are in the books as the nodes have paid them")
    func sums() async throws {
        try await withCopy { copy in
            let gateway = try await copy.payingGateway()
            var random = SeededGenerator(seed: 7)
            var intents: [PayoutIntent] = []
            for _ in 0..<150 {
                for node in 0...1 {
                    let accident: PaymentPlan.Accident = [.none, .none, .none, .none, .breakAfter, .breakBefore, .exists, .dieAfter].randomElement(using: &random)!
                    copy.plan(node, PaymentPlan(
                        outcome: Int.random(in: 0..<3, using: &random) == 0 ? .fail : .succeed, fee: Millisatoshis(UInt64.random(in: 0...30, using: &random)),
                        milliseconds: UInt64.random(in: 0...40, using: &random), accident: accident, downMilliseconds: 20))
                }
                let intent = try copy.intent(gateway, amount: UInt64.random(in: 1_000...90_000, using: &random), feeLimit: 20)
                intents.append(intent)
                #expect(await gateway.make(intent))
            }
            var isOver = false
            for _ in 0..<12 where !isOver { isOver = await eventually { copy.sql("SELECT count(*) FROM payouts WHERE state IN ('settled', 'failed')") == "150" } }
            try #require(isOver)
            let spent = copy.network.nodes.reduce(UInt64(0)) { $0 + $1.wallet.wallet.spent.amount.value + $1.wallet.wallet.spent.fees.value }
            #expect(copy.sql("SELECT spent_msat FROM balances") == "\(spent)")
            #expect(copy.sql("SELECT -sum(amount_msat) FROM ledger_entries") == "\(spent)")
            #expect(copy.sql("SELECT reserved_msat FROM balances") == "0")
            #expect(copy.sql("SELECT count(*) FROM payouts WHERE state = 'settled'") == "\(copy.paid)")
            #expect(copy.network.payees.paidTwice == 0)
        }
    }

    @Test("the calls of a node answer in our own values")
    func node() async throws {
        try await withCopy { copy in
            let gateway = try await copy.payingGateway()
            let node: any LightningNode = gateway.nodes[0]
            let about = try await ask { node.describe($0) }
            #expect(about.pubkey == node.pubkey && about.isSyncedToChain && about.network == "regtest")
            let channels = try await ask { node.channels($0) }
            #expect(channels.count == 2 && channels[0].isActive)
            let policies = try await ask { node.policies(of: channels[0].chanID, $0) }
            #expect(policies.local?.feePPM != policies.remote?.feePPM)
            #expect(try await ask { node.balances($0) }.channelLocal == Millisatoshis(10_000_000_000))
            let peer = PaidInvoice.identity.publicKey
            for _ in 0...1 { try await ask { node.connect(to: peer, at: "127.0.0.1:9735", $0) } }
            #expect(try await ask { node.peers($0) }.contains { $0.pubkey == peer })
            #expect(try await ask { node.newAddress($0) }.hasPrefix("bcrt1"))
            let signature = try await ask { node.sign([1, 2, 3], $0) }
            #expect(try await ask { node.verify([1, 2, 3], signature: signature, $0) } == node.pubkey)
            #expect(try await ask { node.verify([1, 2, 4], signature: signature, $0) } == nil)
            let invoice = try await ask { node.createInvoice(NodeInvoiceWish(memo: "Tea", amount: Millisatoshis(7_000)), $0) }
            #expect(invoice.state == .open && invoice.memo == "Tea" && invoice.amount == Millisatoshis(7_000))
            #expect(try Bolt11Invoice(decoding: invoice.paymentRequest, by: LibCrypto.self).payee == node.pubkey)
            let held = try await ask { node.createInvoice(NodeInvoiceWish(amount: nil, holding: PaymentHash(SecureRandom.bytes32())), $0) }
            try await ask { node.cancelInvoice(held.paymentHash, $0) }
            #expect(try await ask { node.invoices(after: 0, limit: 10, $0) }.map(\.state) == [.open, .canceled])
            #expect(try await ask { node.invoice(held.paymentHash, $0) }.state == .canceled)
            await #expect(throws: NodeError.notFound) { try await ask { node.invoice(PaymentHash(SecureRandom.bytes32()), $0) } }
            #expect(try await ask { node.estimateFee(to: peer, Millisatoshis(5_000), $0) }.fee == Millisatoshis(5))
            let payout = try await copy.settle(gateway, amount: 1_000)
            let sent = try await ask { node.payments(after: 0, limit: 10, $0) }
            #expect(sent.map(\.paymentHash) == [payout.intent.paymentHash])
            var states: [NodeInvoice.State] = []
            let watch = node.watchInvoice(held.paymentHash) { states.append($0.state) } ended: { _ in }
            try #require(await eventually { states == [.canceled] })
            watch.cancel()
            var told: [ChannelEvent] = []
            let channelWatch = node.watchChannels { told.append($0) } ended: { _ in }
            try #require(await eventually { copy.network.nodes[0].wallet.tellChannel(isActive: false); return told.contains(.inactive) })
            channelWatch.cancel()
        }
    }

    @Test("a node that is unsynced or has nothing to receive with is left out of invoices, and the one with the most comes first")
    func hints() async throws {
        try await withCopy { copy in
            let gateway = try await copy.payingGateway()
            let keys = copy.network.nodes.map(\.publicKey)
            copy.network.nodes[0].wallet.change { $0.remote = Millisatoshis(5) }
            gateway.liquidity.refresh()
            try #require(await eventually { gateway.receivingNodes.map(\.pubkey) == [keys[1], keys[0]] })
            copy.network.nodes[0].wallet.change { $0.remote = .zero }
            gateway.liquidity.refresh()
            try #require(await eventually { gateway.receivingNodes.map(\.pubkey) == [keys[1]] })
            #expect(gateway.stateName(of: gateway.nodes[0]) == "no_inbound")
            copy.network.nodes[0].wallet.change { $0.remote = Millisatoshis(5) }
            copy.network.nodes[1].change { $0.isSyncedToChain = false }
            gateway.liquidity.refresh()
            try #require(await eventually { gateway.receivingNodes.map(\.pubkey) == [keys[0]] })
        }
    }
}

@LoopActor
private func ask<Value: Sendable>(_ question: @LoopActor (@escaping NodeReply<Value>) -> Void) async throws -> Value {
    try await withCheckedContinuation { done in question { done.resume(returning: $0) } }.get()
}

extension PaymentGateway {
    fileprivate func make(_ intent: PayoutIntent) async -> Bool {
        let result = await withCheckedContinuation { done in makePayout(intent, isBounded: false) { done.resume(returning: $0) } }
        if case .success = result { return true }
        return false
    }
}

extension SimulatedCopy {
    /// One whose nodes can pay.
    fileprivate func payingGateway(_ instance: String = "one") async throws -> PaymentGateway {
        let gateway = try await runningGateway(instance)
        try #require(await eventually { gateway.liquidity.standings.count == self.network.nodes.count })
        return gateway
    }

    fileprivate func plan(_ node: Int, _ plan: PaymentPlan) { network.nodes[node].wallet.change { $0.plans.append(plan) } }

    fileprivate func intent(_ gateway: PaymentGateway, amount: UInt64, feeLimit: UInt64 = 1_000, timeoutSeconds: Int64 = 60) throws -> PayoutIntent {
        let made = try #require(network.payees.invoice(Millisatoshis(amount), expirySeconds: 3600, description: "Tea", at: gateway.now))
        let invoice = try Bolt11Invoice(decoding: made.text, by: LibCrypto.self)
        return PayoutIntent(
            id: PayoutID("pay_" + made.hash.bytes.hex.prefix(32)), account: 1, paymentHash: made.hash, destination: invoice.payee,
            amount: Millisatoshis(amount), feeLimit: Millisatoshis(feeLimit), paymentRequest: made.text, timeoutSeconds: timeoutSeconds,
            createdAt: gateway.now, expiresAt: invoice.expiresAt)
    }

    fileprivate func settle(_ gateway: PaymentGateway, amount: UInt64, feeLimit: UInt64 = 1_000) async throws -> Payout {
        try await end(gateway, intent(gateway, amount: amount, feeLimit: feeLimit))
    }

    /// Makes it and waits for its end.
    fileprivate func end(_ gateway: PaymentGateway, _ intent: PayoutIntent) async throws -> Payout {
        try #require(await gateway.make(intent))
        try #require(await eventually { ["settled", "failed"].contains(self.state(intent)) })
        let found = await withCheckedContinuation { done in gateway.ledger.payout(intent.id) { done.resume(returning: $0) } }
        return try #require(try found.get())
    }

    fileprivate func state(_ intent: PayoutIntent) -> String { sql("SELECT state FROM payouts WHERE id = '\(intent.id.text)'") }
    fileprivate var paymentEvents: String { sql("SELECT string_agg(type, ' ' ORDER BY ctid) FROM events WHERE type LIKE 'payment.%'") }
    fileprivate var paid: Int { network.nodes.reduce(0) { $0 + $1.wallet.wallet.spent.count } }
}
