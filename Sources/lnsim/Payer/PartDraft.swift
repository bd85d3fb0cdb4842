import Bolt
import Keys
import Payments

/// One part of a payment before it is an HTLC. Making it costs an elliptic curve multiplication or two; sending it none.
struct PartDraft: Sendable {
    var invoice: PayableInvoice
    var hint: PayableInvoice.Hint
    var amount: Millisatoshis
    var total: Millisatoshis
    var tampering = Tampering()

    /// LND's payers add these blocks to the final delta, lest a block arrive on the way.
    static let extraBlocks: UInt32 = 3

    /// The HTLC as the node sees it, and the secret that reads the payee's failures; `nil` for a payee that is no point.
    func make(circuit: Circuit, height: UInt32, part: SimulatedHTLC.Part) -> (htlc: SimulatedHTLC, sharedSecret: Bytes32)? {
        let expiry = height &+ invoice.finalExpiryDelta &+ Self.extraBlocks
        // Each lie stands alone: what is not tampered with is what an honest payer would have made it.
        let outgoing = (
            amount: tampering.outgoingAmount.map(Millisatoshis.init) ?? amount, expiry: tampering.outgoingExpiry ?? expiry
        )
        let incoming = (
            amount: tampering.incomingAmount.map(Millisatoshis.init) ?? amount + hint.policy.fee(for: amount),
            expiry: tampering.incomingExpiry ?? expiry &+ UInt32(hint.policy.cltvDelta)
        )
        let hash = tampering.paymentHash ?? invoice.paymentHash
        let payload = tampering.payload ?? payload(expiry: expiry)
        guard let onion = VirtualOnion(payload: payload, payee: invoice.payee, paymentHash: hash, fault: tampering.onion) else {
            return nil
        }
        let requested = tampering.requestedChanID ?? hint.chanID
        let htlc = SimulatedHTLC(
            circuit: circuit, paymentHash: hash, incomingAmount: incoming.amount, incomingExpiry: incoming.expiry,
            outgoingAmount: outgoing.amount, outgoingExpiry: outgoing.expiry, requestedChanID: requested,
            message: NodeMessages.offer(
                circuit, paymentHash: hash, incoming: incoming, outgoing: outgoing, requestedChanID: requested,
                onion: onion.packet),
            part: part)
        return (htlc, onion.sharedSecret)
    }

    /// Amount, expiry, payment data and the invoice's metadata, in the order of their types (BOLT 4).
    private func payload(expiry: UInt32) -> [UInt8] {
        if tampering.onion == .malformedPayload { return [2, 200, 1] }
        var payload = record(2, truncated(tampering.payloadAmount ?? amount.value))
        payload += record(4, truncated(UInt64(tampering.payloadExpiry ?? expiry)))
        if tampering.onion != .noPaymentData {
            let secret = (tampering.paymentSecret ?? invoice.paymentSecret).array
            payload += record(8, secret + truncated(tampering.totalAmount ?? total.value))
        }
        if tampering.onion != .noMetadata, let metadata = invoice.metadata { payload += record(16, metadata) }
        if tampering.onion == .unknownEvenType { payload += record(200, [1]) }
        return payload
    }

    /// Types and lengths below 253 are one byte; nothing here is longer but metadata, which gets the three-byte form.
    private func record(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        let length =
            value.count < 253
            ? [UInt8(value.count)]
            : [253, UInt8(truncatingIfNeeded: value.count >> 8), UInt8(truncatingIfNeeded: value.count)]
        return [type] + length + value
    }

    private func truncated(_ value: UInt64) -> [UInt8] {
        (0..<8).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }.drop { $0 == 0 } + []
    }
}
