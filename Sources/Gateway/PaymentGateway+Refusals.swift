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
