internal import CCurl
internal import Delivery
internal import Loop

/// One request on its way: libcurl's handle and what has come back.
@LoopActor
@safe
final class Transfer {
    static let maximumBody = 16 << 10
    private static let maximumHead = 16 << 10

    let request: OutboundRequest
    let done: @LoopActor (OutboundAnswer) -> Void
    /// Checked addresses that were not tried yet.
    var addresses: ArraySlice<IPAddress>
    /// When the request as a whole has taken too long.
    let deadline: UInt64
    private(set) var handle: UnsafeMutableRawPointer?
    private var list: UnsafeMutablePointer<curl_slist>?
    private var pin: UnsafeMutablePointer<curl_slist>?
    private var head = 0
    private var body: [UInt8] = []
    private var retryAfter: String?
    /// The answer is longer than it is read: what came is enough.
    private var isCut = false

    init(_ request: OutboundRequest, addresses: [IPAddress], deadline: UInt64, _ done: @escaping @LoopActor (OutboundAnswer) -> Void) {
        self.request = request
        self.addresses = addresses[...]
        self.deadline = deadline
        self.done = done
    }

    /// Takes a handle and sets all of it; `false` if no address or no time is left, and then the handle is not taken.
    func prepare(_ handle: UnsafeMutableRawPointer, userAgent: String) -> Bool {
        let now = Clock.monotonicNanoseconds
        guard let address = addresses.popFirst(), now < deadline else { return false }
        unsafe self.handle = handle
        head = 0
        body = []
        retryAfter = nil
        isCut = false
        unsafe curl_easy_reset(handle)
        set(CURLOPT_URL, request.url.text)
        // Whatever host and port the URL names, the connection is made to the address that was checked. Being a number, it is
        // never looked up again. The certificate is still the name's.
        unsafe pin = curl_slist_append(nil, "::\(address.inURL):\(request.url.port)")
        unsafe ccurl_set_list(handle, CURLOPT_CONNECT_TO, pin)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PROXY, "")
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_SSLVERSION, 6)  // CURL_SSLVERSION_TLSv1_2
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        set(CURLOPT_USERAGENT, userAgent)
        let left = Int((deadline - now) / 1_000_000)
        set(CURLOPT_TIMEOUT_MS, max(1, left))
        // One that does not answer leaves time for the others.
        set(CURLOPT_CONNECTTIMEOUT_MS, max(1, min(left / (addresses.count + 1), 5_000)))
        set(CURLOPT_POST, 1)
        set(CURLOPT_POSTFIELDSIZE, request.body.count)
        unsafe request.body.withUnsafeBytes { bytes in _ = unsafe ccurl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress) }
        unsafe list = curl_slist_append(nil, "Expect:")
        unsafe list = curl_slist_append(list, "Accept: */*")
        for (name, value) in request.fields { unsafe list = curl_slist_append(list, "\(name): \(value)") }
        unsafe ccurl_set_list(handle, CURLOPT_HTTPHEADER, list)
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_set_callback(handle, CURLOPT_HEADERFUNCTION, curlHeadCame)
        unsafe ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        unsafe ccurl_set_callback(handle, CURLOPT_WRITEFUNCTION, curlBodyCame)
        unsafe ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        unsafe ccurl_set_pointer(handle, CURLOPT_PRIVATE, context)
        return true
    }

    /// Gives the handle back; it may carry another request.
    func release() -> UnsafeMutableRawPointer? {
        defer { unsafe handle = nil }
        // The handle must not remember the lists that are freed.
        if let handle = unsafe handle { unsafe curl_easy_reset(handle) }
        unsafe curl_slist_free_all(list)
        unsafe curl_slist_free_all(pin)
        unsafe list = nil
        unsafe pin = nil
        return unsafe handle
    }

    /// How long connecting took is told when it is done.
    private var isConnected: Bool {
        var microseconds = 0
        if let handle = unsafe handle { unsafe ccurl_get_number(handle, CURLINFO_CONNECT_TIME_T, &microseconds) }
        return microseconds > 0
    }

    /// What libcurl's result means; `nil` if another address is worth trying.
    func answer(_ result: CURLcode) -> OutboundAnswer? {
        var status = 0
        if let handle = unsafe handle { unsafe ccurl_get_number(handle, CURLINFO_RESPONSE_CODE, &status) }
        if result == CURLE_OK || isCut && result == CURLE_WRITE_ERROR && status >= 200 {
            return .answered(status: status, retryAfter: retryAfter, body: body)
        }
        let words = unsafe String(cString: curl_easy_strerror(result))
        switch result {
        case CURLE_COULDNT_CONNECT: return addresses.isEmpty ? .failed(.unreachable) : nil
        case CURLE_OPERATION_TIMEDOUT: return isConnected || addresses.isEmpty ? .failed(.timedOut) : nil
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
            return .failed(.tls(words))
        default: return .failed(.broken(words))
        }
    }

    fileprivate func headCame(_ bytes: UnsafeRawBufferPointer) -> Int {
        head += bytes.count
        guard head <= Self.maximumHead else { return 0 }
        let line = unsafe String(decoding: bytes.prefix(256), as: UTF8.self)
        if let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "retry-after" {
            retryAfter = String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }.prefix { $0 != "\r\n" && $0 != "\r" && $0 != "\n" })
        }
        return bytes.count
    }

    fileprivate func bodyCame(_ bytes: UnsafeRawBufferPointer) -> Int {
        let room = Self.maximumBody - body.count
        unsafe body.append(contentsOf: bytes.prefix(room))
        isCut = bytes.count > room
        // Anything but all of it makes libcurl break off.
        return isCut ? 0 : bytes.count
    }

    private func set(_ option: CURLoption, _ value: Int) {
        if let handle = unsafe handle { unsafe ccurl_set_number(handle, option, value) }
    }

    private func set(_ option: CURLoption, _ value: String) {
        if let handle = unsafe handle { unsafe ccurl_set_text(handle, option, value) }
    }
}

private func curlHeadCame(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
    // libcurl lends the bytes for the call, which is made on the loop's thread.
    nonisolated(unsafe) let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
    return LoopActor.assumeIsolated { unsafe transfer.headCame(buffer) }
}

private func curlBodyCame(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
    // As above.
    nonisolated(unsafe) let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
    return LoopActor.assumeIsolated { unsafe transfer.bodyCame(buffer) }
}
