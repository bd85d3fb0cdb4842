public import Payments

/// An event as it goes into the outbox: everything but its offset.
public struct RenderedEvent: Equatable, Sendable {
    public var id: String
    public var type: EventType
    public var paymentHash: PaymentHash?
    /// A JSON object.
    public var data: String
    public init(id: String, type: EventType, paymentHash: PaymentHash?, data: String) {
        self.id = id
        self.type = type
        self.paymentHash = paymentHash
        self.data = data
    }
}

/// Events as text. `data` is encoded once, when the event is written to the outbox.
public enum EventCodec {
    /// The id follows from what happened, so a second try to tell the same has the same id. What has no identity of its
    /// own (a node that comes and goes) gets it from the time.
    public static func render<Hash: SHA256Digest>(
        _ event: Event, nodeNames: [PublicKey: String], time: UnixTime, by hash: Hash.Type
    ) -> RenderedEvent {
        var json = JSONWriter(capacity: 320)
        var identity = Array(event.type.rawValue.utf8)
        json.object { json in
            switch event.subject {
            case .invoice(let facts):
                json.field("payment_hash", facts.paymentHash.bytes)
                identity += facts.paymentHash.bytes.array
                if let setID = facts.setID {
                    json.field("set_id", setID.bytes)
                    identity += setID.bytes.array
                }
                if let amount = facts.amount { json.field("amount_msat", amount.value) }
                if let received = facts.received {
                    json.field("received_msat", received.value)
                    if case let overpaid = received.beyond(facts.amount), overpaid > .zero { json.field("overpaid_msat", overpaid.value) }
                }
                if let note = facts.note { json.field("lnurl", raw: note.json.utf8) }
            case .htlc(let facts):
                let circuit = facts.circuitKey
                json.field("payment_hash", facts.paymentHash.bytes)
                if let setID = facts.setID { json.field("set_id", setID.bytes) }
                append(circuit.node, nodeNames, to: &json)
                json.field("chan_id", String(circuit.chanID))
                json.field("htlc_id", String(circuit.htlcID))
                json.field("amount_msat", facts.amount.value)
                json.field("fee_msat", facts.fee.value)
                json.field("expiry_height", UInt64(facts.expiryHeight))
                json.field("blocks_left", facts.blocksLeft)
                if let reason = facts.reason { json.field("reason", reason.rawValue) }
                identity += facts.paymentHash.bytes.array + (facts.setID?.bytes.array ?? []) + circuit.node.array
                identity += "\(circuit.chanID)/\(circuit.htlcID)".utf8
            case .node(let node, let reason):
                append(node, nodeNames, to: &json)
                if let reason { json.field("reason", reason) }
                identity += node.array
                identity += String(time.milliseconds).utf8
            }
        }
        let digest = Hash.sha256(identity.span)
        var id = Array("evt_".utf8)
        for index in 0..<16 { Hex.append(digest[index], to: &id) }
        return RenderedEvent(
            id: String(decoding: id, as: UTF8.self), type: event.type, paymentHash: event.paymentHash,
            data: String(decoding: json.bytes, as: UTF8.self))
    }

    /// The one object of every transport.
    public static func object(_ event: PublishedEvent) -> [UInt8] {
        var json = JSONWriter(capacity: event.data.utf8.count + 160)
        json.object { fields(of: event, &$0) }
        return json.bytes
    }

    /// The set that an event of an invoice is about.
    public static func setID(in event: PublishedEvent) -> SetID? {
        guard let data = try? JSONReader.read(Array(event.data.utf8)) else { return nil }
        return data["set_id"]?.text.flatMap { Bytes32(hex: $0) }.map { SetID($0) }
    }

    static func fields(of event: PublishedEvent, _ json: inout JSONWriter) {
        json.field("offset", event.offset)
        json.field("id", event.id)
        json.field("type", event.type.rawValue)
        json.field("time", event.time)
        json.field("data", raw: event.data.utf8)
    }

    private static func append(_ node: PublicKey, _ names: [PublicKey: String], to json: inout JSONWriter) {
        json.field("node", node.hex)
        json.field("node_name", names[node] ?? "")
    }
}
