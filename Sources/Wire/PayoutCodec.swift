public import Payments

/// Payouts as text.
///
/// Their events carry the payment hash in their data only: what is read by payment hash is about invoices.
public enum PayoutCodec {
    /// As REST answers. `nodeNames`: what the operator calls the nodes.
    public static func append(_ payout: Payout, nodeNames: [PublicKey: String], showsPreimage: Bool = true, to json: inout JSONWriter) {
        let intent = payout.intent
        json.object { json in
            json.field("id", intent.id.text)
            json.field("payment_hash", intent.paymentHash.bytes)
            json.field("destination", intent.destination.hex)
            json.field("amount_msat", intent.amount.value)
            json.field("fee_limit_msat", intent.feeLimit.value)
            if let fee = payout.fee { json.field("fee_msat", fee.value) }
            if payout.feeBeyondLimit > .zero { json.field("fee_beyond_limit_msat", payout.feeBeyondLimit.value) }
            json.field("state", payout.state.rawValue)
            if let failure = payout.failure, payout.state == .failed { json.field("failure", failure.rawValue) }
            if showsPreimage, payout.state == .settled, let preimage = payout.preimage { json.field("preimage", preimage.bytes) }
            if let node = payout.node {
                json.field("node", node.hex)
                json.field("node_name", nodeNames[node] ?? "")
            }
            json.field("attempts", payout.attempt)
            if let request = intent.paymentRequest { json.field("payment_request", request) }
            if let purpose = intent.purpose { json.field("purpose", purpose) }
            json.field("created_at", intent.createdAt)
            json.field("updated_at", payout.updatedAt)
        }
    }

    /// The event of a payout that has just come to its present state. Its id is the same however often it is made.
    public static func event<Hash: SHA256Digest>(_ payout: Payout, nodeNames: [PublicKey: String], by hash: Hash.Type) -> RenderedEvent {
        var json = JSONWriter(capacity: 640)
        append(payout, nodeNames: nodeNames, showsPreimage: false, to: &json)
        let type: EventType = switch payout.state {
        case .created: .paymentCreated
        case .sending: .paymentSending
        case .unknown: .paymentUnknown
        case .settled: .paymentSettled
        case .failed: .paymentFailed
        }
        let identity = Array("\(type.rawValue) \(payout.intent.id.text) \(payout.attempt)".utf8)
        let digest = Hash.sha256(identity.span)
        return RenderedEvent(id: "evt_" + String(digest.hex.prefix(32)), type: type, paymentHash: nil, data: String(decoding: json.bytes, as: UTF8.self))
    }
}
