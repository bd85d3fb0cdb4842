/// The rules by which one more HTLC may join a set (BOLT 4, "Requirements" of the final node).
///
/// The order of the checks gives nothing away: each refusal but the time-out reaches the payer as the same failure.
enum Admission {
    static func rejection(of offer: Offer, joining payment: LivePayment?, height: UInt32, time: UnixTime, policy: PaymentPolicy) -> Rejection? {
        let htlc = offer.htlc
        if let refusal = offer.refusal { return refusal }
        if time > offer.terms.expiresAt { return .late }
        if htlc.amount == .zero || htlc.total == .zero { return .noAmount }
        if let amount = offer.terms.amount {
            if htlc.total < amount { return .underpaid }
            if htlc.total > amount.doubled { return .overpaid }
        }
        if !hasRoom(htlc, height: height, policy: policy) { return .expiryRefused }
        // Who is gone when a set has begun is expected to be back soon.
        guard let payment, !payment.parts.isEmpty else { return offer.isAttended ? nil : .unattended }
        if payment.parts.count >= policy.maximumParts { return .setFull }
        if payment.parts.contains(where: { $0.htlc.total != htlc.total }) { return .totalMismatch }
        if let amount = offer.terms.amount, payment.received + htlc.amount > amount.doubled { return .overpaid }
        return nil
    }

    /// Whether the expiry leaves the blocks that the invoice asked for, and not absurdly many.
    private static func hasRoom(_ htlc: HeldHTLC, height: UInt32, policy: PaymentPolicy) -> Bool {
        let height = Int64(height)
        return Int64(htlc.outgoingExpiry) >= height + Int64(policy.finalCLTVDelta)
            && Int64(htlc.incomingExpiry) <= height + Int64(policy.maximumExpiryDelta)
            && hasTime(htlc, height: UInt32(height), policy: policy)
    }

    /// Whether the node will not answer by itself before we have.
    static func hasTime(_ htlc: HeldHTLC, height: UInt32, policy: PaymentPolicy) -> Bool {
        !htlc.isOnChain && Int64(htlc.autoFailHeight) > Int64(height) + Int64(policy.deadlineMargin)
    }
}
