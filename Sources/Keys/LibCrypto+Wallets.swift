internal import CCrypto
internal import Bolt
public import Payments

extension LibCrypto {
    /// Whether a wallet's key made this signature (LUD-04): ECDSA in DER, over the bytes themselves.
    public static func verify(der signature: [UInt8], of digest: Bytes32, by key: PublicKey) -> Bool {
        Curve.shared.verify(der: signature, digest: digest, by: key)
    }

    /// BIP 340. `key` is the x coordinate of a point.
    public static func verifySchnorr(_ signature: [UInt8], of message: [UInt8], by key: Bytes32) -> Bool {
        Curve.shared.verifySchnorr(signature, message, by: key)
    }

    /// With the standard alphabet and padding.
    public static func base64(_ bytes: [UInt8]) -> String { Base64URL.encodeStandard(bytes) }

    /// AES-256 in CBC mode with PKCS#7 padding (LUD-10). The vector must be new for every text under one key.
    public static func encryptAES256CBC(_ text: [UInt8], key: Bytes32, vector: [UInt8]) -> [UInt8] {
        precondition(vector.count == 16, "the vector of AES is one block")
        let context = unsafe EVP_CIPHER_CTX_new()
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        var result = [UInt8](repeating: 0, count: text.count + 16)
        var count: Int32 = 0
        var last: Int32 = 0
        let isDone = unsafe key.storage.span.withUnsafeBufferPointer { key in
            unsafe result.withUnsafeMutableBufferPointer { out in
                unsafe EVP_EncryptInit_ex2(context, EVP_aes_256_cbc(), key.baseAddress, vector, nil) == 1
                    && EVP_EncryptUpdate(context, out.baseAddress, &count, text, Int32(text.count)) == 1
                    && EVP_EncryptFinal_ex(context, out.baseAddress! + Int(count), &last) == 1
            }
        }
        precondition(isDone, "libcrypto lacks AES-256-CBC")
        result.removeLast(result.count - Int(count + last))
        return result
    }
}
