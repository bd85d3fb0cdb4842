public import Payments
internal import Wire

/// One request by Standard Webhooks 1.0: what is signed, and the fields that carry it.
public struct SignedMessage: Equatable, Sendable {
    /// The event's, the same however often it is sent: receivers know by it what they have seen.
    public let id: String
    /// Of this attempt.
    public let timestamp: Int64
    public let body: [UInt8]

    public init(id: String, at time: UnixTime, body: [UInt8]) {
        self.id = id
        timestamp = time.seconds
        self.body = body
    }

    public init(_ event: PublishedEvent, at time: UnixTime) { self.init(id: event.id, at: time, body: Self.body(of: event)) }

    /// The bytes under the signature: id, timestamp and body with dots between them.
    public var signedBytes: [UInt8] { Array("\(id).\(timestamp).".utf8) + body }

    /// With one signature for each secret and scheme that is in force, each with its version in front.
    public func fields(signatures: [String]) -> [(name: String, value: String)] {
        [
            ("content-type", "application/json"), ("webhook-id", id), ("webhook-timestamp", String(timestamp)),
            ("webhook-signature", signatures.joined(separator: " ")),
        ]
    }

    /// Receivers may refuse more.
    public static let maximumBody = 20_000

    /// The object that every transport has; without its data, which can be read by its offset, if it were too long.
    static func body(of event: PublishedEvent) -> [UInt8] {
        let whole = EventCodec.object(event)
        guard whole.count > maximumBody else { return whole }
        var short = event
        var data = JSONWriter()
        data.object { json in
            if let hash = event.paymentHash { json.field("payment_hash", hash.bytes) }
            json.field("truncated", true)
        }
        short.data = String(decoding: data.bytes, as: UTF8.self)
        return EventCodec.object(short)
    }
}
