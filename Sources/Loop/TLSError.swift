internal import COpenSSL

/// Why certificates or keys could not be used. The text is the TLS library's own and holds no secret.
public struct TLSError: Error, Equatable, Sendable {
    public let detail: String

    init(_ detail: String) { self.detail = detail }

    /// Takes the oldest entry of the library's error queue of this thread and empties the queue.
    static func takeReason(or fallback: String) -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return fallback }
        return unsafe String(cString: text)
    }
}
