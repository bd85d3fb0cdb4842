import Payments

/// The keys that BOLT 4 derives from a shared secret, by the label that keys the HMAC.
enum OnionKey {
    /// Of the stream that hides the payloads.
    static let rho: [UInt8] = [0x72, 0x68, 0x6f]
    /// Of the payloads' HMAC.
    static let mu: [UInt8] = [0x6d, 0x75]
    /// Of a failure's HMAC.
    static let um: [UInt8] = [0x75, 0x6d]
    /// Of the bytes that fill a new onion.
    static let pad: [UInt8] = [0x70, 0x61, 0x64]
    /// Of the stream that hides a failure.
    static let ammag: [UInt8] = [0x61, 0x6d, 0x6d, 0x61, 0x67]

    static func derive<C: Cryptography>(_ label: [UInt8], from secret: Bytes32, by crypto: C.Type) -> Bytes32 {
        C.hmacSHA256(key: label.span, secret.storage.span)
    }
}
