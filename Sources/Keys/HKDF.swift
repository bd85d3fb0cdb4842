internal import Bolt
internal import Payments

/// HKDF with SHA-256 (RFC 5869) for keys of thirty-two bytes: one block, so one round of expansion.
enum HKDF {
    static func derive(from key: borrowing Span<UInt8>, salt: [UInt8] = salt, purpose: String) -> Bytes32 {
        let extracted = LibCrypto.hmacSHA256(key: salt.span, key)
        return LibCrypto.hmacSHA256(key: extracted.storage.span, Array(purpose.utf8).span, [1].span)
    }

    private static let salt = Array("leyden".utf8)
}
