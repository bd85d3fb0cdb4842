import Payments

/// An HTLC that reached a simulated node and wants to be forwarded.
struct SimulatedHTLC: Equatable, Sendable {
    /// Which part of which payment it carries, for the payer's own bookkeeping.
    struct Part: Hashable, Sendable {
        var payment: Int
        var index: Int
    }

    var circuit: Circuit
    var paymentHash: PaymentHash
    var incomingAmount: Millisatoshis
    var incomingExpiry: UInt32
    var outgoingAmount: Millisatoshis
    var outgoingExpiry: UInt32
    /// The short channel id that the payer's onion names as the next hop.
    var requestedChanID: UInt64
    /// The offer as it goes to the interceptor while the HTLC is off chain, encoded once.
    var message: [UInt8]
    var part: Part
}
