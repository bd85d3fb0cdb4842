import Loop
import Payments
import Wire

// Payments that the nodes send, and invoices for them to pay.
extension ControlRoutes {
    /// `nil` for a path that is none of these.
    func wallet(_ path: String, _ body: [UInt8]) throws(ControlProblem) -> JSONValue? {
        switch path {
        case "/invoice": try invoice(body)
        case "/wallet": try wallets(body)
        case "/wallet/plan": try plan(body)
        case "/wallet/end": try end(body)
        default: nil
        }
    }

    /// An invoice of somebody outside.
    private func invoice(_ body: [UInt8]) throws(ControlProblem) -> JSONValue {
        let fields = try ControlFields(body, allowed: ["amount_msat", "expiry_seconds", "count"])
        let amount = try fields.integer("amount_msat", max: Millisatoshis.supply.value).flatMap { $0 > 0 ? Millisatoshis($0) : nil }
        let expiry = try fields.integer("expiry_seconds", max: 31_536_000) ?? 3600
        let count = try fields.integer("count", max: 100_000) ?? 1
        var made: [(text: String, hash: PaymentHash)] = []
        for _ in 0..<count {
            let now = UnixTime(milliseconds: Clock.wallMilliseconds)
            guard let invoice = network.payees.invoice(amount, expirySeconds: expiry, description: "simulated", at: now) else { throw .invalid("amount_msat") }
            made.append(invoice)
        }
        guard let first = made.first else { throw .invalid("count must be at least 1") }
        return .object([
            ("payment_request", .string(first.text)), ("payment_hash", .string(first.hash.bytes.hex)),
            ("payment_requests", .array(made.map { .string($0.text) })),
        ])
    }

    /// What each node has and has paid; with `local_msat` changes it.
    private func wallets(_ body: [UInt8]) throws(ControlProblem) -> JSONValue {
        let fields = try ControlFields(body, allowed: ["node", "local_msat", "remote_msat"])
        let local = try fields.integer("local_msat", max: Millisatoshis.supply.value)
        let remote = try fields.integer("remote_msat", max: Millisatoshis.supply.value)
        for (_, node) in try nodes(fields) {
            node.wallet.change { wallet in
                if let local { wallet.local = Millisatoshis(local) }
                if let remote { wallet.remote = Millisatoshis(remote) }
            }
        }
        let all = network.nodes.enumerated().map { index, node in
            let spent = node.wallet.wallet.spent
            return JSONValue.object([
                ("node", .unsigned(UInt64(index))), ("local_msat", .unsigned(node.wallet.wallet.local.value)),
                ("remote_msat", .unsigned(node.wallet.wallet.remote.value)), ("paid", .unsigned(UInt64(spent.count))),
                ("amount_msat", .unsigned(spent.amount.value)), ("fees_msat", .unsigned(spent.fees.value)),
                ("in_flight", .unsigned(UInt64(node.wallet.wallet.inFlight))), ("plans", .unsigned(UInt64(node.wallet.wallet.plans.count))),
            ])
        }
        return .object([("nodes", .array(all)), ("paid_twice", .unsigned(UInt64(network.payees.paidTwice)))])
    }

    private func plan(_ body: [UInt8]) throws(ControlProblem) -> JSONValue {
        let fields = try ControlFields(body, allowed: ["node", "outcome", "failure", "fee_msat", "ms", "hangs", "accident", "down_ms", "count"])
        var plan = PaymentPlan()
        if let text = try fields.text("outcome") {
            guard let outcome = PaymentPlan.Outcome(rawValue: text) else { throw .invalid("outcome must be succeed or fail") }
            plan.outcome = outcome
        }
        if let text = try fields.text("accident") {
            guard let accident = PaymentPlan.Accident(rawValue: text) else {
                throw .invalid("accident must be none, break_before, break_after, die_before, die_after or exists")
            }
            plan.accident = accident
        }
        plan.failure = Int(try fields.integer("failure", max: 6) ?? 2)
        plan.fee = try fields.integer("fee_msat", max: Millisatoshis.supply.value).map { Millisatoshis($0) }
        plan.milliseconds = try fields.flag("hangs") ?? false ? nil : try fields.integer("ms", max: 3_600_000) ?? 0
        plan.downMilliseconds = try fields.integer("down_ms", max: 3_600_000) ?? 200
        let count = Int(try fields.integer("count", max: 100_000) ?? 1)
        for (_, node) in try nodes(fields) { node.wallet.change { $0.plans += Array(repeating: plan, count: count) } }
        return .object([("planned", .unsigned(UInt64(count)))])
    }

    /// Ends payments that hang: the one that is named, or all.
    private func end(_ body: [UInt8]) throws(ControlProblem) -> JSONValue {
        let fields = try ControlFields(body, allowed: ["node", "payment_hash", "outcome", "failure"])
        let wanted = try fields.bytes32("payment_hash").map { PaymentHash($0) }
        let fails = try fields.text("outcome") == "fail"
        let failure = Int(try fields.integer("failure", max: 6) ?? 2)
        var count: UInt64 = 0
        for (_, node) in try nodes(fields) {
            for payment in node.wallet.wallet.payments.values where payment.state == .inFlight && wanted.map({ $0 == payment.paymentHash }) ?? true {
                if node.wallet.end(payment.paymentHash, fails: fails ? failure : nil) { count += 1 }
            }
        }
        return .object([("ended", .unsigned(count))])
    }
}
