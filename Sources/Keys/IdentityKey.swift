public import Bolt
public import Payments

/// The private key of the virtual node: it opens onions and signs invoices.
public final class IdentityKey: Sendable {
    private let secret: SecretBytes
    public let publicKey: PublicKey

    /// `nil` unless the number is in 1..<order of the curve.
    public init?(_ secret: Bytes32) {
        guard let publicKey = Curve.shared.publicKey(of: secret.storage.span) else { return nil }
        self.secret = SecretBytes(secret)
        self.publicKey = publicKey
    }

    /// SHA-256 of the compressed ECDH point (BOLT 4); `nil` if the key is not on the curve.
    public func sharedSecret(with point: PublicKey) -> Bytes32? {
        secret.withSpan { Curve.shared.sharedSecret(of: point, with: $0) }
    }

    /// Deterministic (RFC 6979) with low S.
    public func sign(digest: Bytes32) -> RecoverableSignature {
        secret.withSpan { Curve.shared.sign(digest, by: $0) }
    }

    /// A key for one purpose alone, from which neither this key nor that of another purpose can be computed (HKDF, RFC 5869).
    func derive(_ purpose: String) -> SecretBytes {
        secret.withSpan { SecretBytes(HKDF.derive(from: $0, purpose: purpose)) }
    }
}

extension IdentityKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "IdentityKey(\(publicKey))" }
    public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}
