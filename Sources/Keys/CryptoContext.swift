internal import CCrypto
internal import Glibc

/// libcrypto's state for one thread: fetched algorithms and reused contexts, because fetching them costs more than
/// hashing a short message.
@safe
final class CryptoContext {
    private let digest: OpaquePointer
    private let cipher: OpaquePointer

    /// Randomness that was fetched for several: a call of libcrypto's generator costs more than the bytes.
    private var pool = InlineArray<512, UInt8>(repeating: 0)
    private var left = 0

    /// The calling thread's context.
    static var current: CryptoContext {
        if let known = unsafe pthread_getspecific(key) {
            return unsafe Unmanaged<CryptoContext>.fromOpaque(known).takeUnretainedValue()
        }
        let made = CryptoContext()
        unsafe pthread_setspecific(key, Unmanaged.passRetained(made).toOpaque())
        return made
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let result = unsafe pthread_key_create(&key, threadEnded)
        precondition(result == 0, "no thread-specific storage left")
        return key
    }()

    private init() {
        guard let digest = unsafe EVP_MD_CTX_new(), let cipher = unsafe EVP_CIPHER_CTX_new(),
            let sha256 = unsafe EVP_MD_fetch(nil, "SHA256", nil), let chaCha20 = unsafe EVP_CIPHER_fetch(nil, "ChaCha20", nil)
        else { preconditionFailure("libcrypto lacks SHA-256 or ChaCha20") }
        unsafe self.digest = digest
        unsafe self.cipher = cipher
        // The contexts keep their own references.
        unsafe EVP_DigestInit_ex2(digest, sha256, nil)
        unsafe EVP_EncryptInit_ex2(cipher, chaCha20, nil, nil, nil)
        unsafe EVP_MD_free(sha256)
        unsafe EVP_CIPHER_free(chaCha20)
    }

    deinit {
        unsafe EVP_MD_CTX_free(digest)
        unsafe EVP_CIPHER_CTX_free(cipher)
    }

    func beginDigest() {
        unsafe EVP_DigestInit_ex2(digest, nil, nil)
    }

    func digest(_ bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            _ = unsafe EVP_DigestUpdate(digest, buffer.baseAddress, buffer.count)
        }
    }

    func endDigest(into result: inout MutableSpan<UInt8>) {
        unsafe result.withUnsafeMutableBufferPointer { buffer in
            _ = unsafe EVP_DigestFinal_ex(digest, buffer.baseAddress, nil)
        }
    }

    /// Fills with bytes that nobody else gets: what is handed out is wiped from the pool.
    func random(into bytes: inout MutableSpan<UInt8>) {
        guard bytes.count <= 64 else { return Self.generate(into: &bytes) }
        var room = pool.mutableSpan
        if left < bytes.count {
            Self.generate(into: &room)
            left = room.count
        }
        for index in bytes.indices {
            left -= 1
            bytes[index] = room[left]
            room[left] = 0
        }
    }

    /// A machine that has no randomness stops here: nothing after it would be safe.
    private static func generate(into bytes: inout MutableSpan<UInt8>) {
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            let result = unsafe RAND_bytes(buffer.baseAddress, Int32(buffer.count))
            precondition(result == 1, "no randomness")
        }
    }

    /// Counter and nonce are zero.
    func combine(key: borrowing Span<UInt8>, into bytes: inout MutableSpan<UInt8>) {
        let start = InlineArray<16, UInt8>(repeating: 0)
        let startSpan = start.span
        unsafe key.withUnsafeBufferPointer { key in
            unsafe startSpan.withUnsafeBufferPointer { start in
                _ = unsafe EVP_EncryptInit_ex2(cipher, nil, key.baseAddress, start.baseAddress, nil)
            }
        }
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var written: Int32 = 0
            _ = unsafe EVP_EncryptUpdate(cipher, buffer.baseAddress, &written, buffer.baseAddress, Int32(buffer.count))
        }
    }
}

private func threadEnded(_ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<CryptoContext>.fromOpaque(context).release()
}
