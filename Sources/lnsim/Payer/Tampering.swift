import Payments

/// What a payer does wrong on purpose. Everything that is `nil` is done right.
struct Tampering: Equatable, Sendable {
    enum OnionFault: String, CaseIterable, Sendable {
        /// Random bytes after a valid version and key.
        case garbage
        case wrongVersion = "wrong_version"
        case wrongHMAC = "wrong_hmac"
        /// A key that is no point of the curve.
        case wrongKey = "wrong_key"
        /// Peels well, but the payload is no TLV stream.
        case malformedPayload = "malformed_payload"
        /// Peels well, but the payload has a type nobody knows and everybody must.
        case unknownEvenType = "unknown_even_type"
        case noPaymentData = "no_payment_data"
        /// No fault: a payer that does not know payment metadata.
        case noMetadata = "no_metadata"
        case short
    }

    var paymentHash: PaymentHash?
    var paymentSecret: Bytes32?
    /// `total_msat` of the payload.
    var totalAmount: UInt64?
    /// `amt_to_forward` of the payload.
    var payloadAmount: UInt64?
    /// `outgoing_cltv_value` of the payload.
    var payloadExpiry: UInt32?
    /// What the node is asked to forward, and until when.
    var outgoingAmount: UInt64?
    var outgoingExpiry: UInt32?
    /// What arrives at the node, and until when.
    var incomingAmount: UInt64?
    var incomingExpiry: UInt32?
    /// The short channel id that the node is asked to forward to.
    var requestedChanID: UInt64?
    /// The payload as it is, without its length.
    var payload: [UInt8]?
    var onion: OnionFault?
}
