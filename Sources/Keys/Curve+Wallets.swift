internal import CSecp256k1
internal import Payments

// What wallets and zaps sign: ECDSA in DER (LUD-04) and Schnorr (BIP 340).
extension Curve {
    /// libsecp256k1 takes only low S, wallets send either: the same signature, so it is brought to the low form first.
    func verify(der: [UInt8], digest: Bytes32, by point: PublicKey) -> Bool {
        guard var key = parse(point) else { return false }
        var parsed = secp256k1_ecdsa_signature()
        let isParsed = unsafe der.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return Int32(0) }
            return unsafe secp256k1_ecdsa_signature_parse_der(context, &parsed, start, bytes.count)
        }
        guard isParsed == 1 else { return false }
        var low = secp256k1_ecdsa_signature()
        unsafe secp256k1_ecdsa_signature_normalize(context, &low, &parsed)
        return unsafe digest.storage.span.withUnsafeBufferPointer { digest in
            unsafe secp256k1_ecdsa_verify(context, &low, digest.baseAddress!, &key)
        } == 1
    }

    /// The x coordinate of the scalar's point; `nil` for a scalar that is no key.
    func xOnlyPublicKey(of scalar: borrowing Span<UInt8>) -> Bytes32? {
        guard let pair = keyPair(scalar) else { return nil }
        var copy = pair
        var key = secp256k1_xonly_pubkey()
        guard unsafe secp256k1_keypair_xonly_pub(context, &key, nil, &copy) == 1 else { return nil }
        return Bytes32(filledBy: { span in
            unsafe span.withUnsafeMutableBufferPointer { out in
                _ = unsafe secp256k1_xonly_pubkey_serialize(context, out.baseAddress!, &key)
            }
        })
    }

    /// BIP 340 over thirty-two bytes. `random` need not be, but makes it harder to listen in.
    func signSchnorr(_ message: Bytes32, by scalar: borrowing Span<UInt8>, random: Bytes32) -> [UInt8]? {
        guard var pair = keyPair(scalar) else { return nil }
        var signature = [UInt8](repeating: 0, count: 64)
        let result = unsafe message.storage.span.withUnsafeBufferPointer { message in
            unsafe random.storage.span.withUnsafeBufferPointer { random in
                unsafe secp256k1_schnorrsig_sign32(context, &signature, message.baseAddress!, &pair, random.baseAddress!)
            }
        }
        return result == 1 ? signature : nil
    }

    func verifySchnorr(_ signature: [UInt8], _ message: [UInt8], by point: Bytes32) -> Bool {
        guard signature.count == 64 else { return false }
        var key = secp256k1_xonly_pubkey()
        let isParsed = unsafe point.storage.span.withUnsafeBufferPointer { bytes in
            unsafe secp256k1_xonly_pubkey_parse(context, &key, bytes.baseAddress!)
        }
        guard isParsed == 1 else { return false }
        return unsafe secp256k1_schnorrsig_verify(context, signature, message, message.count, &key) == 1
    }

    private func keyPair(_ scalar: borrowing Span<UInt8>) -> secp256k1_keypair? {
        var pair = secp256k1_keypair()
        let result = unsafe scalar.withUnsafeBufferPointer { bytes in
            unsafe secp256k1_keypair_create(context, &pair, bytes.baseAddress!)
        }
        return result == 1 ? pair : nil
    }
}
