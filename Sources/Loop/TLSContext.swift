internal import COpenSSL

/// Owns an `SSL_CTX`: TLS 1.2 or later, `h2` as the application protocol.
@safe
final class TLSContext: @unchecked Sendable {
    // @unchecked: the context is configured before it is shared and only counted and read afterwards, which the
    // library allows from any thread.
    let pointer: OpaquePointer
    /// Whether a peer that does not choose `h2` is refused.
    let needsHTTP2: Bool

    init(client: Bool, needsHTTP2: Bool = true) throws(TLSError) {
        self.needsHTTP2 = needsHTTP2
        ERR_clear_error()
        guard let context = unsafe SSL_CTX_new(client ? TLS_client_method() : TLS_server_method()) else {
            throw TLSError(TLSError.takeReason(or: "no TLS context"))
        }
        unsafe pointer = context
        unsafe cssl_set_min_version(context, TLS1_2_VERSION)
        unsafe cssl_release_buffers(context)
        unsafe cssl_refuse_renegotiation(context)
    }

    deinit { unsafe SSL_CTX_free(pointer) }

    /// The list of protocols as TLS writes it: one name with its length before it.
    static let protocolList: [UInt8] = [2] + Array("h2".utf8)
}
