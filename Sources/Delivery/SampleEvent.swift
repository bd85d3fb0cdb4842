public import Payments
internal import Wire

/// Events that never happened, for trying a receiver out: complete, and marked as tests.
public enum SampleEvent {
    /// `seed` makes its hashes and its id; the offset is zero, which no event of the log has.
    public static func make<Hash: SHA256Digest>(_ type: EventType, account: Int64, seed: Bytes32, at time: UnixTime, by hash: Hash.Type) -> PublishedEvent? {
        guard EventType.allCases.contains(type) else { return nil }
        let paymentHash = Hash.sha256(seed.storage.span)
        let setID = Hash.sha256(paymentHash.storage.span)
        let node = "02" + Hash.sha256(setID.storage.span).hex
        var json = JSONWriter()
        json.object { json in
            switch type {
            case .invoiceCreated, .invoiceExpired: invoice(&json, paymentHash, nil, nil)
            case .invoiceCanceled: invoice(&json, paymentHash, nil, nil)
            case .invoiceAccepted, .invoiceSettleRequested, .invoiceSettled: invoice(&json, paymentHash, setID, 21_000)
            case .invoiceReleased, .invoiceFailed: invoice(&json, paymentHash, setID, 0)
            case .htlcAccepted, .htlcSettled, .htlcFailed:
                json.field("payment_hash", paymentHash)
                json.field("set_id", setID)
                json.field("node", node)
                json.field("node_name", "alice")
                json.field("chan_id", "869059488412139521")
                json.field("htlc_id", "7")
                json.field("amount_msat", 21_000 as Int64)
                json.field("expiry_height", 800_160 as Int64)
                json.field("blocks_left", 80 as Int64)
            case .paymentCreated, .paymentSending, .paymentUnknown, .paymentSettled, .paymentFailed:
                json.field("id", "pay_" + setID.hex.prefix(32))
                json.field("payment_hash", paymentHash)
                json.field("destination", node)
                json.field("amount_msat", 21_000 as Int64)
                json.field("fee_limit_msat", 210 as Int64)
                json.field("state", String(type.rawValue.dropFirst("payment.".count)))
            case .nodeConnected, .nodeDisconnected, .other:
                json.field("node", node)
                json.field("node_name", "alice")
                if type == .nodeDisconnected { json.field("reason", "a sample") }
            }
            json.field("test", true)
        }
        let hasPayment = !type.rawValue.hasPrefix("node.") && !type.rawValue.hasPrefix("payment.")
        return PublishedEvent(
            offset: 0, id: "evt_" + seed.hex.prefix(32), type: type, account: account, paymentHash: hasPayment ? PaymentHash(paymentHash) : nil,
            time: time, data: String(decoding: json.bytes, as: UTF8.self))
    }

    private static func invoice(_ json: inout JSONWriter, _ hash: Bytes32, _ setID: Bytes32?, _ received: Int64?) {
        json.field("payment_hash", hash)
        if let setID { json.field("set_id", setID) }
        json.field("amount_msat", 21_000 as Int64)
        if let received { json.field("received_msat", received) }
    }
}
