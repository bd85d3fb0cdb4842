internal import Bolt
public import Payments

/// What is kept of a request that may be repeated: its answer, sealed, and the secrets that it makes.
///
/// An answer may hold a new API key or a preimage, which must not lie in the database for everybody who reads it. A secret
/// made from the request's seed is the same whenever the request is carried out, and the seed alone does not tell it.
public struct ClaimSecrets: Sendable {
    private let stream: SecretBytes
    private let tag: SecretBytes
    private let made: SecretBytes

    public init(identity: IdentityKey) {
        stream = identity.derive("claim: stream")
        tag = identity.derive("claim: tag")
        made = identity.derive("claim: secret")
    }

    /// Encrypted and authenticated for the holder of this seed: nonce, cipher text, tag.
    public func seal(_ answer: [UInt8], for seed: Bytes32) -> [UInt8] {
        let nonce = SecureRandom.bytes32()
        var bytes = answer
        apply(nonce, to: &bytes)
        let sealed = nonce.array + bytes
        return sealed + tag(of: sealed, seed).array
    }

    /// `nil` unless it was sealed here, for this seed, and not altered.
    public func open(_ sealed: [UInt8], for seed: Bytes32) -> [UInt8]? {
        guard sealed.count >= 64, let nonce = Bytes32(sealed[..<32]), let given = Bytes32(sealed[(sealed.count - 32)...]) else { return nil }
        guard tag(of: Array(sealed[..<(sealed.count - 32)]), seed) == given else { return nil }
        var bytes = Array(sealed[32..<(sealed.count - 32)])
        apply(nonce, to: &bytes)
        return bytes
    }

    /// Thirty-two secret bytes for one purpose of the request with this seed.
    public func secret(_ purpose: String, of seed: Bytes32) -> Bytes32 {
        made.withSpan { LibCrypto.hmacSHA256(key: $0, seed.storage.span, Array(purpose.utf8).span) }
    }

    /// A key for each nonce, so that no two answers share a stream.
    private func apply(_ nonce: Bytes32, to bytes: inout [UInt8]) {
        let key = stream.withSpan { LibCrypto.hmacSHA256(key: $0, nonce.storage.span) }
        var span = bytes.mutableSpan
        LibCrypto.chaCha20(key: key, into: &span)
    }

    private func tag(of sealed: [UInt8], _ seed: Bytes32) -> Bytes32 {
        tag.withSpan { LibCrypto.hmacSHA256(key: $0, seed.storage.span, sealed.span) }
    }
}

extension ClaimSecrets: CustomStringConvertible, CustomReflectable {
    public var description: String { "ClaimSecrets" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
