internal import Payments

/// What a payer did wrong, told to the merchant: a part that came too late, or one of too little or too much.
extension PaymentGateway {
    /// Tells why an HTLC is failed that never was part of a complete set, if that is a matter between payer and merchant.
    ///
    /// Only of invoices that are stored: of the others nothing is, until they are paid.
    func tellRefusal(of circuitKey: CircuitKey, _ rejection: Rejection, amount: Millisatoshis) {
        guard let reason = HTLCFailure(rejection), let held = held[circuitKey], held.isStored, refusalBudget.take(at: now) else { return }
        tell(Event(.htlcFailed, .htlc(.init(
            paymentHash: held.paymentHash, setID: nil, circuitKey: circuitKey, amount: amount, fee: held.htlc.fee, expiryHeight: held.htlc.incomingExpiry,
            blocksLeft: Int64(held.htlc.autoFailHeight) - Int64(machine.height), reason: reason))))
    }
}

/// How many refusals are told in a second: anybody who has an invoice can be refused as often as he likes.
struct RefusalBudget {
    private static let perSecond = 100
    private var second: Int64 = 0
    private var left = perSecond

    mutating func take(at time: UnixTime) -> Bool {
        if time.seconds != second {
            second = time.seconds
            left = Self.perSecond
        }
        left -= 1
        return left >= 0
    }
}
