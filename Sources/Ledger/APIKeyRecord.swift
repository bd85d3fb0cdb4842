public import Payments

/// An API key as it is stored: only the hash of its secret.
public struct APIKeyRecord: Equatable, Sendable {
    public var id: String
    public var name: String
    /// SHA-256 of the key's secret.
    public var hash: Bytes32
    public var scopes: [String]
    public var account: Int64
    public var createdAt: UnixTime
    public var revokedAt: UnixTime?

    public init(
        id: String, name: String, hash: Bytes32, scopes: [String], account: Int64, createdAt: UnixTime, revokedAt: UnixTime? = nil
    ) {
        self.id = id
        self.name = name
        self.hash = hash
        self.scopes = scopes
        self.account = account
        self.createdAt = createdAt
        self.revokedAt = revokedAt
    }
}
