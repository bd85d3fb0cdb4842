public import Wire

/// The body of `POST /v1/lnurl/address-requests`: somebody is to be asked for a Lightning Address (LUD-23), to send a refund to.
public struct RefundRequest: Equatable, Sendable {
    public var description: String
    public var orderID: String?
    public var expiresInSeconds: Int64

    static let maximumDescription = 600

    public init(decoding body: [UInt8]) throws(FieldError) {
        let fields = try RequestFields(body, known: ["description", "order_id", "expires_in_seconds"])
        guard let description = try fields.text("description") else { throw .invalid(field: "description", "is missing") }
        guard !description.isEmpty, DisplayText.isPlain(description, maximum: Self.maximumDescription) else {
            throw .invalid(field: "description", "1 to \(Self.maximumDescription) bytes of UTF-8, without control characters")
        }
        self.description = description
        orderID = try fields.text("order_id")
        if let orderID, orderID.isEmpty || !DisplayText.isPlain(orderID, maximum: PayLinkRequest.maximumOrderID) {
            throw .invalid(field: "order_id", "1 to \(PayLinkRequest.maximumOrderID) bytes of UTF-8, without control characters")
        }
        expiresInSeconds = Int64(try fields.whole("expires_in_seconds", in: 1...PayLinkRequest.maximumExpiry) ?? 604_800)
    }
}
