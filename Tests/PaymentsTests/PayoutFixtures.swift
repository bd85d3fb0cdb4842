import Payments

func payoutIntent(_ number: UInt8 = 1, amount: UInt64 = 1000, feeLimit: UInt64 = 10, onlyNode: PublicKey? = nil, expiresAt: UnixTime? = nil) -> PayoutIntent {
    PayoutIntent(
        id: PayoutID("pay_\(number)"), account: 1, paymentHash: hash(number), destination: node(99), amount: Millisatoshis(amount),
        feeLimit: Millisatoshis(feeLimit), paymentRequest: "lnbcrt…", onlyNode: onlyNode, createdAt: seconds(0), expiresAt: expiresAt)
}

func payoutMachine(_ payout: Payout = Payout(intent: payoutIntent()), at now: Int64 = 0) -> PayoutMachine {
    PayoutMachine(payout, policy: PayoutPolicy(), at: seconds(now))
}

/// One whose node has been asked.
func sentPayout(_ intent: PayoutIntent = payoutIntent(), at now: Int64 = 0) -> PayoutMachine {
    var machine = payoutMachine(Payout(intent: intent), at: now)
    _ = machine.takenUp(at: seconds(now))
    let change = machine.chose(node(1), mayChange: true, at: seconds(now)).change!
    _ = machine.stored(change, elapsed: 1, at: seconds(now))
    return machine
}

extension [PayoutOrder] {
    var change: PayoutChange? {
        for case .commit(let change) in self { return change }
        return nil
    }
    var sends: [PublicKey] { compactMap { if case .send(let node, _) = $0 { node } else { nil } } }
    var follows: [PublicKey] { compactMap { if case .follow(let node, _) = $0 { node } else { nil } } }
}
