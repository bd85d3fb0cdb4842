import Payments

/// A request of the interceptor as it came over the wire, nothing checked.
struct WireOffer: Equatable {
    var circuit: InterceptorSession.Circuit
    /// `outgoing_requested_chan_id`; zero or all ones when the payer names the next hop by its key.
    var requestedChannelID: UInt64
    var paymentHash: [UInt8]
    var incomingAmount: UInt64
    var incomingExpiry: UInt32
    var outgoingAmount: UInt64
    var outgoingExpiry: UInt32
    var onion: [UInt8]
    var autoFailHeight: Int32

    /// See ``InterceptedHTLC/isOnChain``.
    var isOnChain: Bool { autoFailHeight == 0 || Int64(autoFailHeight) >= Int64(incomingExpiry) }

    /// `nil` if the payment hash is not one.
    func htlc(at node: PublicKey) -> InterceptedHTLC? {
        guard let hash = Bytes32(paymentHash) else { return nil }
        return InterceptedHTLC(
            circuitKey: CircuitKey(node: node, chanID: circuit.chanID, htlcID: circuit.htlcID),
            paymentHash: PaymentHash(hash),
            incomingAmount: Millisatoshis(incomingAmount), incomingExpiry: incomingExpiry,
            outgoingAmount: Millisatoshis(outgoingAmount), outgoingExpiry: outgoingExpiry,
            onion: onion, autoFailHeight: autoFailHeight)
    }
}
