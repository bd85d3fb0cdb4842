internal import Bolt
internal import CSecp256k1
internal import Payments

/// libsecp256k1 with one context for the whole process.
@safe
final class Curve: @unchecked Sendable {
    // @unchecked: after `init` the context is only read; libsecp256k1 documents that as safe from any thread.
    let context: OpaquePointer

    static let shared = Curve()

    private init() {
        guard let context = unsafe secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else {
            preconditionFailure("libsecp256k1 gives no context")
        }
        // Blinds the arithmetic against side channels; it changes no result.
        let seed = SecureRandom.bytes32()
        unsafe seed.storage.span.withUnsafeBufferPointer { seed in
            _ = unsafe secp256k1_context_randomize(context, seed.baseAddress!)
        }
        unsafe self.context = context
    }

    deinit { unsafe secp256k1_context_destroy(context) }

    func parse(_ point: PublicKey) -> secp256k1_pubkey? {
        var key = secp256k1_pubkey()
        let result = unsafe point.storage.span.withUnsafeBufferPointer { bytes in
            unsafe secp256k1_ec_pubkey_parse(context, &key, bytes.baseAddress!, bytes.count)
        }
        return result == 1 ? key : nil
    }

    func serialize(_ key: secp256k1_pubkey) -> PublicKey {
        var key = key
        var bytes = InlineArray<33, UInt8>(repeating: 0)
        var count = 33
        var span = bytes.mutableSpan
        unsafe span.withUnsafeMutableBufferPointer { out in
            _ = unsafe secp256k1_ec_pubkey_serialize(context, out.baseAddress!, &count, &key, UInt32(SECP256K1_EC_COMPRESSED))
        }
        return PublicKey(bytes)
    }

    func publicKey(of scalar: borrowing Span<UInt8>) -> PublicKey? {
        var key = secp256k1_pubkey()
        let result = unsafe scalar.withUnsafeBufferPointer { bytes in
            unsafe secp256k1_ec_pubkey_create(context, &key, bytes.baseAddress!)
        }
        return result == 1 ? serialize(key) : nil
    }

    func multiply(_ point: PublicKey, by scalar: Bytes32) -> PublicKey? {
        guard var key = parse(point) else { return nil }
        let result = unsafe scalar.storage.span.withUnsafeBufferPointer { bytes in
            unsafe secp256k1_ec_pubkey_tweak_mul(context, &key, bytes.baseAddress!)
        }
        return result == 1 ? serialize(key) : nil
    }

    func multiply(scalar: Bytes32, by factor: Bytes32) -> Bytes32? {
        var product = scalar
        var span = product.storage.mutableSpan
        let result = unsafe span.withUnsafeMutableBufferPointer { product in
            unsafe factor.storage.span.withUnsafeBufferPointer { factor in
                unsafe secp256k1_ec_seckey_tweak_mul(context, product.baseAddress!, factor.baseAddress!)
            }
        }
        return result == 1 ? product : nil
    }

    /// SHA-256 of the compressed product, in constant time (BOLT 4).
    func sharedSecret(of point: PublicKey, with scalar: borrowing Span<UInt8>) -> Bytes32? {
        guard var key = parse(point) else { return nil }
        var secret = Bytes32()
        var span = secret.storage.mutableSpan
        let result = unsafe span.withUnsafeMutableBufferPointer { out in
            unsafe scalar.withUnsafeBufferPointer { scalar in
                unsafe secp256k1_ecdh(context, out.baseAddress!, &key, scalar.baseAddress!, nil, nil)
            }
        }
        return result == 1 ? secret : nil
    }

    /// Deterministic (RFC 6979) with low S. The scalar must be valid.
    func sign(_ digest: Bytes32, by scalar: borrowing Span<UInt8>) -> RecoverableSignature {
        var signature = secp256k1_ecdsa_recoverable_signature()
        let result = unsafe digest.storage.span.withUnsafeBufferPointer { digest in
            unsafe scalar.withUnsafeBufferPointer { scalar in
                unsafe secp256k1_ecdsa_sign_recoverable(context, &signature, digest.baseAddress!, scalar.baseAddress!, nil, nil)
            }
        }
        precondition(result == 1, "signing with a key that was valid fails")
        var bytes = InlineArray<64, UInt8>(repeating: 0)
        var recoveryID: Int32 = 0
        var span = bytes.mutableSpan
        unsafe span.withUnsafeMutableBufferPointer { out in
            _ = unsafe secp256k1_ecdsa_recoverable_signature_serialize_compact(context, out.baseAddress!, &recoveryID, &signature)
        }
        return RecoverableSignature(bytes: bytes, recoveryID: UInt8(recoveryID))
    }

    func recover(_ signature: RecoverableSignature, digest: Bytes32) -> PublicKey? {
        guard signature.recoveryID <= 3 else { return nil }
        var parsed = secp256k1_ecdsa_recoverable_signature()
        let isParsed = unsafe signature.bytes.span.withUnsafeBufferPointer { bytes in
            unsafe secp256k1_ecdsa_recoverable_signature_parse_compact(context, &parsed, bytes.baseAddress!, Int32(signature.recoveryID))
        }
        guard isParsed == 1 else { return nil }
        var key = secp256k1_pubkey()
        let result = unsafe digest.storage.span.withUnsafeBufferPointer { digest in
            unsafe secp256k1_ecdsa_recover(context, &key, &parsed, digest.baseAddress!)
        }
        return result == 1 ? serialize(key) : nil
    }

    /// libsecp256k1 takes only low S.
    func verify(_ signature: RecoverableSignature, digest: Bytes32, by point: PublicKey) -> Bool {
        guard var key = parse(point) else { return false }
        var parsed = secp256k1_ecdsa_signature()
        let isParsed = unsafe signature.bytes.span.withUnsafeBufferPointer { bytes in
            unsafe secp256k1_ecdsa_signature_parse_compact(context, &parsed, bytes.baseAddress!)
        }
        guard isParsed == 1 else { return false }
        return unsafe digest.storage.span.withUnsafeBufferPointer { digest in
            unsafe secp256k1_ecdsa_verify(context, &parsed, digest.baseAddress!, &key)
        } == 1
    }
}
