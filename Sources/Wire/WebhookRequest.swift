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
