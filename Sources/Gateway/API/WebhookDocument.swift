internal import Delivery
internal import Ledger
internal import Payments
internal import Wire

/// Endpoints and their deliveries as owners see them.
enum WebhookDocument {
    /// `secret` only when it was just made.
    static func append(_ endpoint: WebhookEndpoint, secret: String? = nil, to json: inout JSONWriter) {
        let record = endpoint.record
        json.object { json in
            json.field("id", record.id)
            json.field("url", record.url)
            json.array("events") { json in for pattern in record.events { json.string(pattern) } }
            json.field("description", record.description)
            json.array("signatures") { json in for signature in record.signatures { json.string(signature.rawValue) } }
            json.field("concurrency", record.concurrency)
            json.field("enabled", record.disabledReason == nil)
            json.field("status", record.disabledReason != nil ? "disabled" : record.progress.failures > 0 ? "failing" : "enabled")
            if let reason = record.disabledReason { json.field("disabled_reason", reason.rawValue) }
            if let since = record.progress.failingSince { json.field("failing_since", since) }
            if let until = record.progress.pausedUntil { json.field("paused_until", until) }
            json.field("cursor", record.progress.cursor)
            json.field("created_at", record.createdAt)
            if let until = record.previousUntil { json.field("previous_secret_until", until) }
            if let key = endpoint.publicKeyText { json.field("public_key", key) }
            if let secret { json.field("secret", secret) }
        }
    }

    static func append(_ row: WebhookDeliveryRow, endpoint: String, to json: inout JSONWriter) {
        let record = row.record
        json.object { json in
            json.field("id", deliveryID(endpoint, record.offset))
            json.field("offset", record.offset)
            json.field("event_id", record.eventID)
            json.field("type", record.type.rawValue)
            json.field("state", record.state.name)
            json.field("attempts", row.attempts)
            json.field("status", record.status.map { Int64($0) })
            json.field("reason", record.reason)
            if let time = row.attemptedAt { json.field("attempted_at", time) } else { json.field("attempted_at", nil as String?) }
            if let time = record.nextAttemptAt { json.field("next_attempt_at", time) } else { json.field("next_attempt_at", nil as String?) }
        }
    }

    /// An endpoint takes an event once, so the two name the delivery.
    static func deliveryID(_ endpoint: String, _ offset: Int64) -> String { "dlv_" + endpoint.dropFirst(3) + "_\(offset)" }

    /// The offset, if it is a delivery to this endpoint.
    static func offset(ofDelivery id: String, to endpoint: String) -> Int64? {
        let prefix = "dlv_" + endpoint.dropFirst(3) + "_"
        guard id.hasPrefix(prefix), let offset = Int64(id.dropFirst(prefix.count)), offset > 0, deliveryID(endpoint, offset) == id else { return nil }
        return offset
    }

    /// `we_` and sixteen hexadecimal digits.
    static func endpointID(_ random: [UInt8]) -> String { "we_" + Hex.encode(random) }
}
