/// What an endpoint's owner changes. What is `nil` stays as it is, whoever changes it at the same time.
public struct WebhookEndpointChange: Equatable, Sendable {
    public var url: String?
    public var events: [String]?
    public var description: String?
    public var signatures: [WebhookEndpointRecord.Signature]?
    public var concurrency: Int64?
    public var isEnabled: Bool?

    public init(
        url: String? = nil, events: [String]? = nil, description: String? = nil, signatures: [WebhookEndpointRecord.Signature]? = nil,
        concurrency: Int64? = nil, isEnabled: Bool? = nil
    ) {
        self.url = url
        self.events = events
        self.description = description
        self.signatures = signatures
        self.concurrency = concurrency
        self.isEnabled = isEnabled
    }
}
