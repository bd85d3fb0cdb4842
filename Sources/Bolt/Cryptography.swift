public import Payments

/// The primitives under BOLT 4 and BOLT 11; the caller supplies the implementation.
public protocol Cryptography: SHA256Digest {
    /// HMAC-SHA256 over `first` followed by `second`, so that callers need not join them.
    static func hmacSHA256(key: borrowing Span<UInt8>, _ first: borrowing Span<UInt8>, _ second: borrowing Span<UInt8>) -> Bytes32

    /// Combines the bytes with the ChaCha20 stream of the key, nonce and counter zero (BOLT 4).
    static func chaCha20(key: Bytes32, into bytes: inout MutableSpan<UInt8>)

    /// `scalar` times the generator; `nil` unless the scalar is in 1..<order.
    static func publicKey(of scalar: Bytes32) -> PublicKey?

    /// `nil` unless the point is on the curve and the scalar in 1..<order.
    static func multiply(_ point: PublicKey, by scalar: Bytes32) -> PublicKey?

    /// Product modulo the curve's order; `nil` unless both scalars are in 1..<order.
    static func multiply(scalar: Bytes32, by factor: Bytes32) -> Bytes32?

    /// Whether the bytes are the compressed form of a point on the curve.
    static func isOnCurve(_ point: PublicKey) -> Bool

    /// The key that made the signature, whether its S is low or high.
    static func recoverPublicKey(from signature: RecoverableSignature, digest: Bytes32) -> PublicKey?

    /// Whether the key made the signature. A signature with high S is not valid, as BOLT 11 wants it.
    static func verify(_ signature: RecoverableSignature, digest: Bytes32, by key: PublicKey) -> Bool
}

extension Cryptography {
    public static func hmacSHA256(key: borrowing Span<UInt8>, _ message: borrowing Span<UInt8>) -> Bytes32 {
        hmacSHA256(key: key, message, Span())
    }
}
