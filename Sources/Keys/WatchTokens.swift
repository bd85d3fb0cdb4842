internal import Bolt
public import Payments

/// Tokens that let a browser watch one invoice and nothing else: the payment hash and an HMAC of it, base64url.
public struct WatchTokens: Sendable {
    private let current: SecretBytes
    private let older: [SecretBytes]

    /// Tokens made under older identity keys stay good.
    public init(identity: IdentityKey, older: [IdentityKey] = []) {
        current = identity.derive(Self.purpose)
        self.older = older.map { $0.derive(Self.purpose) }
    }

    /// Sixty-four characters.
    public func token(for hash: PaymentHash) -> String {
        Base64URL.encode(hash.bytes.array + Self.tag(of: hash, by: current))
    }

    /// The invoice that the token is for; `nil` if it was not made here.
    public func paymentHash(of token: String) -> PaymentHash? {
        guard token.utf8.count == 64, let bytes = Base64URL.decode(token), let hash = Bytes32(bytes[..<32]).map(PaymentHash.init) else { return nil }
        let isGenuine = ([current] + older).reduce(false) { found, key in
            Self.areEqual(Self.tag(of: hash, by: key), bytes[32...]) || found
        }
        return isGenuine ? hash : nil
    }

    private static let purpose = "watch token"
    private static let tagLength = 16

    private static func tag(of hash: PaymentHash, by key: SecretBytes) -> [UInt8] {
        key.withSpan { LibCrypto.hmacSHA256(key: $0, hash.bytes.storage.span) }.array.dropLast(32 - tagLength)
    }

    /// Takes the same time wherever the two differ.
    private static func areEqual(_ tag: [UInt8], _ other: ArraySlice<UInt8>) -> Bool {
        guard tag.count == other.count else { return false }
        return zip(tag, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

extension WatchTokens: CustomStringConvertible, CustomReflectable {
    public var description: String { "WatchTokens" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
