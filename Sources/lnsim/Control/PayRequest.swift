import Payments

/// The body of `POST /pay`.
struct PayRequest {
    var invoice: PayableInvoice
    var parts: [Payer.PartRequest]
    /// What to pay in total, for invoices without an amount.
    var total: Millisatoshis?
    var waits: Bool
    var timeoutMilliseconds: UInt64

    /// What one channel can hold (BOLT 2).
    private static let maximumParts = 483
    private static let tamperingFields = [
        "payment_hash", "payment_secret", "total_msat", "payload_amount_msat", "payload_cltv", "outgoing_amount_msat",
        "outgoing_expiry", "incoming_amount_msat", "incoming_expiry", "scid", "payload", "onion",
    ]

    init(_ body: [UInt8]) throws(ControlProblem) {
        let fields = try ControlFields(
            body, allowed: ["payment_request", "amount_msat", "parts", "wait", "timeout_ms"] + Self.tamperingFields)
        let text = try fields.require(fields.text("payment_request"), "payment_request")
        do throws(PayFailure) {
            invoice = try PayableInvoice(text)
        } catch {
            throw .invalid("payment_request: \(error)")
        }
        total = try fields.integer("amount_msat").map(Millisatoshis.init)
        waits = try fields.flag("wait") ?? true
        timeoutMilliseconds = try fields.integer("timeout_ms", max: 3_600_000) ?? 30_000
        let shared = try Self.tampering(fields, else: Tampering())
        parts = []
        let items = try fields.list("parts") ?? []
        guard items.count <= Self.maximumParts else { throw .invalid("no more than \(Self.maximumParts) parts") }
        for (index, item) in items.enumerated() {
            let part = try ControlFields(item, at: "parts[\(index)]", allowed: ["node", "amount_msat"] + Self.tamperingFields)
            let node = try part.require(part.integer("node", max: 1_000_000), "node")
            let amount = try part.integer("amount_msat").map(Millisatoshis.init)
            let tampering = try Self.tampering(part, else: shared)
            parts.append(Payer.PartRequest(node: Int(node), amount: amount, tampering: tampering))
        }
        if parts.isEmpty { parts = [Payer.PartRequest(node: 0, tampering: shared)] }
    }

    private static func tampering(_ fields: ControlFields, else shared: Tampering) throws(ControlProblem) -> Tampering {
        var tampering = shared
        if let value = try fields.bytes32("payment_hash") { tampering.paymentHash = PaymentHash(value) }
        if let value = try fields.bytes32("payment_secret") { tampering.paymentSecret = value }
        if let value = try fields.integer("total_msat") { tampering.totalAmount = value }
        if let value = try fields.integer("payload_amount_msat") { tampering.payloadAmount = value }
        if let value = try fields.integer32("payload_cltv") { tampering.payloadExpiry = value }
        if let value = try fields.integer("outgoing_amount_msat") { tampering.outgoingAmount = value }
        if let value = try fields.integer32("outgoing_expiry") { tampering.outgoingExpiry = value }
        if let value = try fields.integer("incoming_amount_msat") { tampering.incomingAmount = value }
        if let value = try fields.integer32("incoming_expiry") { tampering.incomingExpiry = value }
        if let value = try fields.integer("scid") { tampering.requestedChanID = value }
        if let value = try fields.hex("payload") {
            guard value.count <= 1200 else { throw .invalid("payload must fit an onion") }
            tampering.payload = value
        }
        if let name = try fields.text("onion") {
            guard let fault = Tampering.OnionFault(rawValue: name) else {
                let known = Tampering.OnionFault.allCases.map(\.rawValue).joined(separator: ", ")
                throw .invalid("onion must be one of \(known)")
            }
            tampering.onion = fault
        }
        return tampering
    }
}
