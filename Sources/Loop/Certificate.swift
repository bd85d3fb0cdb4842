internal import COpenSSL

/// A certificate, read from PEM (the first one of a file) or DER.
@safe
struct Certificate: ~Copyable {
    let pointer: OpaquePointer

    init(_ bytes: [UInt8]) throws(TLSError) {
        let memory = MemoryBIO(bytes)
        let isPEM = bytes.prefix(64).contains(UInt8(ascii: "-"))
        let read = unsafe isPEM ? PEM_read_bio_X509(memory.pointer, nil, refusePassphrase, nil) : d2i_X509_bio(memory.pointer, nil)
        guard let certificate = unsafe read else { throw TLSError(TLSError.takeReason(or: "no certificate")) }
        unsafe pointer = certificate
    }

    deinit { unsafe X509_free(pointer) }
}

/// Bytes as the TLS library reads them. It starts with an empty error queue.
@safe
struct MemoryBIO: ~Copyable {
    let pointer: OpaquePointer?

    init(_ bytes: [UInt8]) {
        ERR_clear_error()
        unsafe pointer = BIO_new(BIO_s_mem())
        unsafe BIO_write(pointer, bytes, Int32(clamping: bytes.count))
    }

    deinit { unsafe BIO_free(pointer) }
}

/// Without it the library would ask the terminal for the passphrase of an encrypted file, and the loop would wait.
func refusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ forWriting: Int32, _ context: UnsafeMutableRawPointer?
) -> Int32 { -1 }
