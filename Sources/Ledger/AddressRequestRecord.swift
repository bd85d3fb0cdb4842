public import Payments

/// A question for a Lightning Address, as it is stored.
public struct AddressRequestRecord: Equatable, Sendable {
    public var id: String
    public var account: Int64
    public var description: String
    public var orderID: String?
    public var createdAt: UnixTime
    public var expiresAt: UnixTime
    /// What the wallet has answered, once.
    public var address: String?
    public var answeredAt: UnixTime?

    public init(id: String, account: Int64, description: String, orderID: String?, createdAt: UnixTime, expiresAt: UnixTime) {
        self.id = id
        self.account = account
        self.description = description
        self.orderID = orderID
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}
