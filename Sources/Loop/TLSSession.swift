internal import COpenSSL

/// Owns an `SSL` that works on memory: bytes of the network go in and come out, sockets are somebody else's.
@LoopActor
@safe
final class TLSSession {
    enum Handshake { case incomplete, complete, failed(CloseReason) }
    enum Reading { case bytes(Int), empty, closedByPeer, failed(CloseReason) }

    private let ssl: OpaquePointer
    private let needsHTTP2: Bool
    // Both belong to `ssl`.
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    /// The context's owner must outlive the session.
    init?(_ context: TLSContext, client: Bool, serverName: String?) {
        guard let ssl = unsafe SSL_new(context.pointer) else { return nil }
        guard let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem()) else {
            unsafe SSL_free(ssl)
            return nil
        }
        unsafe cssl_empty_means_retry(incoming)
        unsafe SSL_set_bio(ssl, incoming, outgoing)
        if client {
            unsafe SSL_set_connect_state(ssl)
            if let serverName { unsafe cssl_set_server_name(ssl, serverName) }
        } else {
            unsafe SSL_set_accept_state(ssl)
        }
        unsafe self.ssl = ssl
        needsHTTP2 = context.needsHTTP2
        unsafe self.incoming = incoming
        unsafe self.outgoing = outgoing
    }

    isolated deinit { unsafe SSL_free(ssl) }

    func receive(_ bytes: Span<UInt8>) {
        _ = unsafe bytes.withUnsafeBufferPointer { unsafe BIO_write(incoming, $0.baseAddress, Int32(clamping: $0.count)) }
    }

    func handshake() -> Handshake {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 { return !needsHTTP2 || speaksHTTP2 ? .complete : .failed(.tlsFailed(detail: "the peer does not speak h2")) }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .incomplete
        default: return .failed(failure())
        }
    }

    func read(into buffer: UnsafeMutableBufferPointer<UInt8>) -> Reading {
        ERR_clear_error()
        let count = unsafe SSL_read(ssl, buffer.baseAddress, Int32(clamping: buffer.count))
        if count > 0 { return .bytes(Int(count)) }
        switch unsafe SSL_get_error(ssl, count) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .empty
        case SSL_ERROR_ZERO_RETURN: return .closedByPeer
        default: return .failed(failure())
        }
    }

    /// Encrypts; memory always has room, so it is all or nothing.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        ERR_clear_error()
        return unsafe SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count)) == Int32(clamping: bytes.count)
    }

    /// Tells the peer that nothing more comes, so that it can tell an end from a cut.
    func sayGoodbye() {
        ERR_clear_error()
        unsafe SSL_shutdown(ssl)
    }

    /// Takes what must go to the peer, as much as fits; zero if nothing is left.
    func takeOutput(into buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        guard unsafe cssl_pending(outgoing) > 0 else { return 0 }
        return unsafe max(0, Int(BIO_read(outgoing, buffer.baseAddress, Int32(clamping: buffer.count))))
    }

    private var speaksHTTP2: Bool {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &length)
        return unsafe UnsafeBufferPointer(start: name, count: Int(length)).elementsEqual("h2".utf8)
    }

    private func failure() -> CloseReason {
        let detail = TLSError.takeReason(or: "TLS protocol error")
        if unsafe SSL_get_verify_result(ssl) == Int(X509_V_ERR_CERT_REJECTED) { return .certificateMismatch }
        return .tlsFailed(detail: detail)
    }
}
