internal import Bolt
internal import Payments

/// The secrets that webhooks are signed with. None of them is stored: each follows from the identity key, the endpoint and how
/// often its secret was replaced, so a copy of the database signs nothing.
public struct WebhookSecrets: Sendable {
    private let shared: SecretBytes
    private let asymmetric: SecretBytes

    public init(identity: IdentityKey) {
        shared = identity.derive("webhook secret")
        asymmetric = identity.derive("webhook signing key")
    }

    /// What the endpoint's owner and the gateway know.
    public func secret(endpoint: String, generation: Int64) -> WebhookSecret {
        WebhookSecret(bytes: Self.derive(from: shared, endpoint, generation))
    }

    /// What only the gateway knows, and everybody can check.
    public func signingKey(endpoint: String, generation: Int64) -> WebhookSigningKey {
        WebhookSigningKey(seed: Self.derive(from: asymmetric, endpoint, generation))
    }

    private static func derive(from key: SecretBytes, _ endpoint: String, _ generation: Int64) -> Bytes32 {
        key.withSpan { LibCrypto.hmacSHA256(key: $0, Array("\(endpoint)/\(generation)".utf8).span) }
    }
}

/// The secret of Standard Webhooks' scheme v1: HMAC-SHA256.
public final class WebhookSecret: Sendable {
    private let secret: SecretBytes

    init(bytes: Bytes32) { secret = SecretBytes(bytes) }

    /// One that nobody else has.
    public convenience init() { self.init(bytes: SecureRandom.bytes32()) }

    /// One as ``text`` shows it; `nil` for anything else.
    public convenience init?(text: String) {
        guard text.hasPrefix("whsec_"), let bytes = Base64URL.decodeStandard(String(text.dropFirst(6))), let secret = Bytes32(bytes) else { return nil }
        self.init(bytes: secret)
    }

    /// As receivers are configured with it: `whsec_` and base64. For its owner only.
    public var text: String { "whsec_" + secret.withSpan { span in Base64URL.encodeStandard(span.indices.map { span[$0] }) } }

    /// `v1,` and base64.
    public func sign(_ message: [UInt8]) -> String {
        "v1," + Base64URL.encodeStandard(secret.withSpan { LibCrypto.hmacSHA256(key: $0, message.span) }.array)
    }
}

extension WebhookSecrets: CustomStringConvertible, CustomReflectable {
    public var description: String { "WebhookSecrets" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension WebhookSecret: CustomStringConvertible, CustomReflectable {
    public var description: String { "WebhookSecret(hidden)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
