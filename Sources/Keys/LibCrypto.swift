public import Bolt
public import Payments

/// The house's cryptography: SHA-256, HMAC and ChaCha20 by libcrypto, secp256k1 by libsecp256k1.
public enum LibCrypto: Cryptography {
    public static func sha256(_ bytes: borrowing Span<UInt8>) -> Bytes32 {
        let context = CryptoContext.current
        context.beginDigest()
        context.digest(bytes)
        return Bytes32(filledBy: { context.endDigest(into: &$0) })
    }

    public static func hmacSHA256(
        key: borrowing Span<UInt8>, _ first: borrowing Span<UInt8>, _ second: borrowing Span<UInt8>
    ) -> Bytes32 {
        let context = CryptoContext.current
        // RFC 2104: the key fills a block; one that is longer is hashed first.
        var block = InlineArray<64, UInt8>(repeating: 0x36)
        if key.count > 64 {
            let short = sha256(key)
            for index in 0..<32 { block[index] ^= short[index] }
        } else {
            for index in 0..<key.count { block[index] ^= key[index] }
        }
        context.beginDigest()
        context.digest(block.span)
        context.digest(first)
        if !second.isEmpty { context.digest(second) }
        let inner = Bytes32(filledBy: { context.endDigest(into: &$0) })
        for index in 0..<64 { block[index] ^= 0x36 ^ 0x5c }
        context.beginDigest()
        context.digest(block.span)
        context.digest(inner.storage.span)
        return Bytes32(filledBy: { context.endDigest(into: &$0) })
    }

    public static func chaCha20(key: Bytes32, into bytes: inout MutableSpan<UInt8>) {
        CryptoContext.current.combine(key: key.storage.span, into: &bytes)
    }
}
