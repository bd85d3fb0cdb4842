internal import CCrypto
internal import Payments

/// The private key of Standard Webhooks' scheme v1a: ed25519 (RFC 8032).
@safe
public final class WebhookSigningKey: @unchecked Sendable {
    // @unchecked: the key is made in `init` and freed in `deinit`; between them it is only read, which libcrypto allows to
    // any number of threads.
    private let key: OpaquePointer

    init(seed: Bytes32) {
        let seed = SecretBytes(seed)
        let made = unsafe seed.withSpan { span in
            unsafe span.withUnsafeBufferPointer { unsafe EVP_PKEY_new_raw_private_key_ex(nil, "ED25519", nil, $0.baseAddress, $0.count) }
        }
        guard let made = unsafe made else { preconditionFailure("libcrypto lacks ed25519") }
        unsafe key = made
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// `whpk_` and base64; for anybody.
    public var publicText: String {
        var bytes = [UInt8](repeating: 0, count: 32)
        var count = bytes.count
        let result = unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &count)
        precondition(result == 1 && count == 32, "an ed25519 key has a public key of 32 bytes")
        return "whpk_" + Base64URL.encodeStandard(bytes)
    }

    /// `v1a,` and base64.
    public func sign(_ message: [UInt8]) -> String {
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        let result = unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1 ? EVP_DigestSign(context, &signature, &count, message, message.count) : 0
        precondition(result == 1 && count == 64, "ed25519 signs every message")
        return "v1a," + Base64URL.encodeStandard(signature)
    }
}

extension WebhookSigningKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "WebhookSigningKey(hidden)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
