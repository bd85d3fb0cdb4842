public import Payments

/// The invoice object of REST, rpc and snapshots.
public enum InvoiceCodec {
    /// The preimage is told only when the invoice is settled, and only to those who may read it.
    public static func encode(_ record: InvoiceRecord, watchToken: String, checkoutURL: String, showsPreimage: Bool) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.field("payment_hash", record.paymentHash.bytes)
            json.field("payment_request", record.paymentRequest)
            if let amount = record.terms.amount { json.field("amount_msat", amount.value) } else { json.field("amount_msat", nil as Int64?) }
            json.field("received_msat", record.received.value)
            if record.overpaid > .zero { json.field("overpaid_msat", record.overpaid.value) }
            switch record.description {
            case .text(let text): json.field("description", text)
            case .hash(let hash): json.field("description_hash", hash)
            case nil: json.field("description", nil as String?)
            }
            json.field("state", record.state.rawValue)
            json.field("settlement", record.terms.settlement == .auto ? "auto" : "hold")
            json.field("created_at", RFC3339.text(record.createdAt))
            json.field("expires_at", RFC3339.text(record.terms.expiresAt))
            if let setID = record.setID { json.field("set_id", setID.bytes) }
            if let settledAt = record.settledAt { json.field("settled_at", RFC3339.text(settledAt)) }
            if showsPreimage, record.state == .settled, let preimage = record.preimage { json.field("preimage", preimage.bytes) }
            if let orderID = record.orderID { json.field("order_id", orderID) }
            if let note = record.note { json.field("lnurl", raw: note.json.utf8) }
            json.field("metadata", raw: (record.metadata ?? "{}").utf8)
            json.field("watch_token", watchToken)
            json.field("checkout_url", checkoutURL)
        }
        return json.bytes
    }
}
