public import Payments

/// An API key as it is stored: only the hashes of its secrets.
public struct APIKeyRecord: Equatable, Sendable {
    public var id: String
    public var name: String
    /// SHA-256 of the key's text.
    public var hash: Bytes32
    public var scopes: [String]
    public var account: Int64
    public var createdAt: UnixTime
    public var revokedAt: UnixTime?
    public var expiresAt: UnixTime?
    /// Counts the secrets that the key has had.
    public var generation: Int32
    /// The secret before, and until when it is good.
    public var previousHash: Bytes32?
    public var previousUntil: UnixTime?
    /// To the minute.
    public var lastUsedAt: UnixTime?
    public var limits: KeyLimits
    /// Grows whenever the row changes: what was read with a lower number is older.
    public var changed: Int64

    public init(
        id: String, name: String, hash: Bytes32, scopes: [String], account: Int64, createdAt: UnixTime, revokedAt: UnixTime? = nil,
        expiresAt: UnixTime? = nil, generation: Int32 = 1, previousHash: Bytes32? = nil, previousUntil: UnixTime? = nil,
        lastUsedAt: UnixTime? = nil, limits: KeyLimits = KeyLimits(), changed: Int64 = 0
    ) {
        self.id = id
        self.name = name
        self.hash = hash
        self.scopes = scopes
        self.account = account
        self.createdAt = createdAt
        self.revokedAt = revokedAt
        self.expiresAt = expiresAt
        self.generation = generation
        self.previousHash = previousHash
        self.previousUntil = previousUntil
        self.lastUsedAt = lastUsedAt
        self.limits = limits
        self.changed = changed
    }
}
