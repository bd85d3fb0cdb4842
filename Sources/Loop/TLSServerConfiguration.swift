internal import COpenSSL

/// The server's side of TLS: certificate and key, `h2` for clients that offer it.
public final class TLSServerConfiguration: Sendable {
    let context: TLSContext

    /// Both in PEM; certificates after the first one are sent as its chain.
    public init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(TLSError) {
        context = try TLSContext(client: false)
        try Self.use(certificatePEM, in: context)
        let memory = MemoryBIO(keyPEM)
        let key = unsafe PEM_read_bio_PrivateKey(memory.pointer, nil, refusePassphrase, nil)
        defer { unsafe EVP_PKEY_free(key) }
        guard unsafe key != nil, unsafe SSL_CTX_use_PrivateKey(context.pointer, key) == 1 else {
            throw TLSError(TLSError.takeReason(or: "no private key"))
        }
        unsafe SSL_CTX_set_alpn_select_cb(context.pointer, selectProtocol, nil)
        unsafe SSL_CTX_set_num_tickets(context.pointer, 0)
    }

    private static func use(_ certificatePEM: [UInt8], in context: TLSContext) throws(TLSError) {
        let memory = MemoryBIO(certificatePEM)
        var count = 0
        while let certificate = unsafe PEM_read_bio_X509(memory.pointer, nil, refusePassphrase, nil) {
            defer { unsafe X509_free(certificate) }
            let result = unsafe count == 0
                ? SSL_CTX_use_certificate(context.pointer, certificate)
                : cssl_add_chain_certificate(context.pointer, certificate)
            guard result == 1 else { throw TLSError(TLSError.takeReason(or: "unusable certificate")) }
            count += 1
        }
        guard count > 0 else { throw TLSError(TLSError.takeReason(or: "no certificate")) }
        ERR_clear_error()
    }
}

private func selectProtocol(
    _ ssl: OpaquePointer?, _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ offeredLength: UInt32, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    // The answer must point into memory that outlives this call: the client's own list does.
    let bytes = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredLength))
    var index = 0
    while index < bytes.count {
        let end = unsafe index + 1 + Int(bytes[index])
        guard end <= bytes.count else { break }
        if unsafe bytes[(index + 1)..<end].elementsEqual("h2".utf8) {
            unsafe selected?.pointee = offered! + index + 1
            unsafe length?.pointee = 2
            return SSL_TLSEXT_ERR_OK
        }
        index = end
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
