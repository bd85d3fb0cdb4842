/// What became of the wish to make a key.
public enum APIKeyInsertion: Equatable, Sendable {
    case made
    /// There is no such account, or there is a key with this id or hash.
    case refused
    /// The account has as many valid keys as it may have.
    case full
}
