public import Payments

/// A question for a Lightning Address, as it is stored.
public struct AddressRequestRecord: Equatable, Sendable {
    /// `ar_` and 32 hexadecimal digits.
    public var id: String
    public var account: Int64
    public var description: String
    public var orderID: String?
    public var createdAt: UnixTime
    public var expiresAt: UnixTime
    /// What the wallet has answered, once.
    public var address: String?
    public var answeredAt: UnixTime?

    /// Whether it could be one.
    public static func isID(_ text: String) -> Bool {
        text.utf8.count == 35 && text.hasPrefix("ar_") && text.utf8.dropFirst(3).allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    public init(id: String, account: Int64, description: String, orderID: String?, createdAt: UnixTime, expiresAt: UnixTime) {
        self.id = id
        self.account = account
        self.description = description
        self.orderID = orderID
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}
