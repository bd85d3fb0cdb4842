/// The body of `POST /v1/accounts`.
public struct AccountRequest: Equatable, Sendable {
    public var name: String

    public init(decoding body: [UInt8]) throws(FieldError) {
        name = try RequestFields(body, known: ["name"]).name("name", required: true)
    }
}
