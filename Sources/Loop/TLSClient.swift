internal import COpenSSL

/// The client's side of TLS, with a pinned certificate or with those that the system trusts.
///
/// The pin takes the place of chain, name and dates: the peer must show exactly this certificate and prove that it has
/// its key. LND's certificate is its own root, is seldom made for the name it is reached by, and may be out of date.
@safe
public final class TLSClient: Sendable {
    let context: TLSContext
    private let pin: PinnedCertificate?

    /// - Parameter pinned: the certificate as PEM or DER.
    public init(pinned: [UInt8]) throws(TLSError) {
        context = try TLSContext(client: true)
        let pin = try PinnedCertificate(pinned)
        self.pin = pin
        unsafe SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        // The pin lives as long as this object, which every stream made from the context holds.
        unsafe SSL_CTX_set_cert_verify_callback(context.pointer, comparePin, Unmanaged.passUnretained(pin).toOpaque())
        let list = TLSContext.protocolList
        unsafe SSL_CTX_set_alpn_protos(context.pointer, list, UInt32(list.count))
    }

    /// As a browser does it: the peer must show a certificate for this name, or address, that the system trusts. No protocol is
    /// asked for, so it speaks HTTP/1.1.
    public init(trustedFor host: String) throws(TLSError) {
        context = try TLSContext(client: true, needsHTTP2: false)
        pin = nil
        unsafe SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_default_verify_paths(context.pointer)
        let parameters = unsafe SSL_CTX_get0_param(context.pointer)
        let isAddress = unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1
        guard unsafe isAddress || X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1 else { throw TLSError("no name for a certificate") }
    }
}

@safe
private final class PinnedCertificate: @unchecked Sendable {
    // @unchecked: written once, and comparing certificates only reads them.
    private let certificate: Certificate

    init(_ bytes: [UInt8]) throws(TLSError) { certificate = try Certificate(bytes) }

    func matches(_ other: OpaquePointer) -> Bool { unsafe X509_cmp(certificate.pointer, other) == 0 }
}

private func comparePin(_ store: OpaquePointer?, _ context: UnsafeMutableRawPointer?) -> Int32 {
    let pin = unsafe Unmanaged<PinnedCertificate>.fromOpaque(context!).takeUnretainedValue()
    if let leaf = unsafe X509_STORE_CTX_get0_cert(store), unsafe pin.matches(leaf) { return 1 }
    unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
    return 0
}
