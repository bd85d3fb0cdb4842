/// The body of `POST …/test`.
public struct WebhookTestRequest: Equatable, Sendable {
    /// The type of the sample.
    public var type: String

    public init(decoding body: [UInt8]) throws(FieldError) {
        type = try RequestFields(body, known: ["type"]).text("type") ?? "invoice.settled"
    }
}
