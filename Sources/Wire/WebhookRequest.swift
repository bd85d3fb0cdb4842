/// The body of `POST /v1/webhooks` and of `PATCH /v1/webhooks/{id}`. What is absent stays as it is.
public struct WebhookRequest: Equatable, Sendable {
    public var url: String?
    public var events: [String]?
    public var description: String?
    public var signatures: [String]?
    public var concurrency: Int64?
    public var isEnabled: Bool?

    static let maximumDescription = 500
    static let maximumConcurrency: UInt64 = 64

    /// A new endpoint needs a URL and events, and begins enabled.
    public init(decoding body: [UInt8], isNew: Bool) throws(FieldError) {
        let fields = try RequestFields(body, known: ["url", "events", "description", "signatures", "concurrency"] + (isNew ? [] : ["enabled"]))
        url = try fields.text("url")
        events = try fields.texts("events")
        description = try fields.text("description")
        signatures = try fields.texts("signatures")
        concurrency = try fields.whole("concurrency", in: 1...Self.maximumConcurrency).map { Int64($0) }
        isEnabled = try fields.flag("enabled")
        if isNew, url == nil { throw .invalid(field: "url", "is missing") }
        if isNew, events == nil { throw .invalid(field: "events", "is missing") }
        if let description {
            guard description.utf8.count <= Self.maximumDescription else { throw .invalid(field: "description", "at most \(Self.maximumDescription) bytes of UTF-8") }
            // Postgres stores no NUL in a text.
            guard !description.utf8.contains(0) else { throw .invalid(field: "description", "must not contain NUL") }
        }
        if let signatures {
            guard !signatures.isEmpty, Set(signatures).count == signatures.count, Set(signatures).isSubset(of: ["v1", "v1a"]) else {
                throw .invalid(field: "signatures", "must be a list of v1, v1a or both")
            }
        }
    }
}

/// The body of `POST …/redeliver`: one delivery, or the events after one offset up to another.
public enum RedeliveryRequest: Equatable, Sendable {
    case one(deliveryID: String)
    case range(after: Int64, until: Int64)

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(body, known: ["delivery_id", "after", "until"])
        let offsets: ClosedRange<UInt64> = 0...UInt64(Int64.max)
        let after = try fields.whole("after", in: offsets)
        let until = try fields.whole("until", in: offsets)
        if let id = try fields.text("delivery_id") {
            guard after == nil else { throw .invalid(field: "after", "not together with delivery_id") }
            guard until == nil else { throw .invalid(field: "until", "not together with delivery_id") }
            self = .one(deliveryID: id)
            return
        }
        guard let after else { throw .invalid(field: "after", "is missing; so is delivery_id") }
        guard let until else { throw .invalid(field: "until", "is missing") }
        guard after < until else { throw .invalid(field: "until", "must be greater than after") }
        self = .range(after: Int64(after), until: Int64(until))
    }
}

/// The body of `POST …/test`.
public struct WebhookTestRequest: Equatable, Sendable {
    /// The type of the sample.
    public var type: String

    public init(decoding body: [UInt8]) throws(FieldError) {
        type = try RequestFields(body, known: ["type"]).text("type") ?? "invoice.settled"
    }
}

/// The body of `POST …/rotate-secret`.
public struct SecretRotation: Equatable, Sendable {
    /// For how long the old secrets sign too.
    public var overlapSeconds: Int64

    public init(decoding body: [UInt8]) throws(FieldError) {
        overlapSeconds = Int64(try RequestFields(body, known: ["overlap_seconds"]).whole("overlap_seconds", in: 0...604_800) ?? 86_400)
    }
}
