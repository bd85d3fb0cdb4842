internal import Bolt
public import Payments

/// A key that signs as BIP 340 has it: of zap receipts (NIP-57).
public final class SchnorrKey: Sendable {
    private let secret: SecretBytes
    /// The x coordinate of its point.
    public let publicKey: Bytes32

    /// `nil` unless the number is in 1..<order of the curve.
    public convenience init?(_ secret: Bytes32) { self.init(SecretBytes(secret)) }

    init?(_ secret: SecretBytes) {
        guard let publicKey = secret.withSpan({ Curve.shared.xOnlyPublicKey(of: $0) }) else { return nil }
        self.secret = secret
        self.publicKey = publicKey
    }

    /// Sixty-four bytes over a digest.
    public func sign(_ digest: Bytes32, random: Bytes32) -> [UInt8] {
        guard let signature = secret.withSpan({ Curve.shared.signSchnorr(digest, by: $0, random: random) }) else {
            preconditionFailure("signing with a key that was valid fails")
        }
        return signature
    }
}

extension SchnorrKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "SchnorrKey(\(publicKey.hex))" }
    public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}
