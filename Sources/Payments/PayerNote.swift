/// What the payer's wallet brought with it from the invoice: which pay link was used, and what was said there.
///
/// The gateway has sealed it into the invoice, and the onion gives it back, so it is the gateway's own text.
public struct PayerNote: Equatable, Sendable {
    /// A JSON object.
    public var json: String
    /// The merchant's own name for what is paid, if the link has one.
    public var orderID: String?

    public init(json: String, orderID: String? = nil) {
        self.json = json
        self.orderID = orderID
    }
}
