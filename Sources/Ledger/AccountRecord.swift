public import Payments

/// A merchant: everything that is stored belongs to one.
public struct AccountRecord: Equatable, Sendable {
    public var id: Int64
    public var name: String
    public var createdAt: UnixTime

    public init(id: Int64, name: String, createdAt: UnixTime) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
    }
}
