internal import CLWS
internal import Glibc
internal import Logging
internal import Loop

/// The context of libwebsockets on the payment loop, with one virtual host that has no listener of its own.
///
/// It lives as long as the loop, which is as long as the process: destroying a context on a running loop closes
/// descriptors that libuv still polls, and libuv aborts.
@LoopActor
@safe
final class LWSContext {
    private static var shared: LWSContext?
    private let vhost: OpaquePointer
    /// Whose handshake is being answered. The answer is given within ``adopt(_:_:for:)``.
    private(set) static var adopting: WebSocketHub?

    /// The one context; the first caller makes it.
    static func open(logger: Logger) throws(EdgeError) -> LWSContext {
        if let shared { return shared }
        let context = try LWSContext(logger: logger)
        shared = context
        return context
    }

    private init(logger: Logger) throws(EdgeError) {
        LWSLog.forward(to: logger)
        // Tables that libwebsockets points into; they are never freed, as it is not.
        let protocols = UnsafeMutablePointer<lws_protocols>.allocate(capacity: 2)
        unsafe protocols.initialize(repeating: lws_protocols(), count: 2)
        let retry = UnsafeMutablePointer<lws_retry_bo_t>.allocate(capacity: 1)
        // Zero seconds switch off lws' own pings and hang-ups: they are a sorted list that every connection walks.
        unsafe retry.initialize(to: lws_retry_bo_t())
        let loops = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: 1)
        unsafe loops.initialize(to: LoopActor.loop.rawLoop)
        unsafe protocols[0].name = UnsafePointer(strdup("centrifuge-json"))
        unsafe protocols[0].callback = webSocketHappened
        // Allocated for each connection; messages are put together in ``WebSocketClient``. A ping has to fit, 125 bytes:
        // of a longer one libwebsockets would answer the beginning.
        unsafe protocols[0].rx_buffer_size = 128
        // Without this a send would be cut to the size of the receive buffer and its rest copied.
        unsafe protocols[0].tx_packet_size = 1 << 20

        var info = unsafe lws_context_creation_info()
        unsafe clws_zero(&info)
        unsafe info.port = CONTEXT_PORT_NO_LISTEN
        unsafe info.options = UInt64(LWS_SERVER_OPTION_LIBUV) | UInt64(LWS_SERVER_OPTION_EXPLICIT_VHOSTS)
        unsafe info.foreign_loops = loops
        unsafe info.gid = ~0
        unsafe info.uid = ~0
        unsafe info.protocols = UnsafePointer(protocols)
        unsafe info.retry_and_idle_policy = UnsafePointer(retry)
        guard let context = unsafe lws_create_context(&info) else {
            throw .cannotCreateContext(remedy: "libwebsockets found no libuv plugin: install the package libwebsockets-evlib-uv")
        }
        guard let vhost = unsafe lws_create_vhost(context, &info) else {
            throw .cannotCreateContext(remedy: "libwebsockets refused its virtual host")
        }
        unsafe self.vhost = vhost
    }

    /// Takes over a connected socket with the handshake that was read from it, and answers the handshake.
    func adopt(_ descriptor: Int32, _ handshake: [UInt8], for hub: WebSocketHub) {
        Self.adopting = hub
        defer { Self.adopting = nil }
        unsafe handshake.withUnsafeBytes { bytes in
            _ = unsafe lws_adopt_socket_vhost_readbuf(vhost, descriptor, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
        }
    }
}

/// Carries libwebsockets' own lines into the log.
private enum LWSLog {
    static let logger = Locked<Logger?>(nil)

    static func forward(to logger: Logger) {
        guard logger.logLevel <= .debug else {
            lws_set_log_level(0, nil)
            return
        }
        self.logger.withLock { $0 = logger }
        unsafe lws_set_log_level(3, lwsLogged)
    }
}

private func lwsLogged(_ level: Int32, _ line: UnsafePointer<CChar>?) {
    guard let line = unsafe line, let logger = LWSLog.logger.withLock({ $0 }) else { return }
    let text = unsafe String(cString: line)
    logger.debug("libwebsockets", metadata: ["line": "\(text)"])
}

private func webSocketHappened(
    wsi: OpaquePointer?, reason: lws_callback_reasons, user: UnsafeMutableRawPointer?, input: UnsafeMutableRawPointer?, count: Int
) -> Int32 {
    guard let wsi = unsafe wsi else { return 0 }
    switch reason {
    case LWS_CALLBACK_ESTABLISHED, LWS_CALLBACK_RECEIVE, LWS_CALLBACK_SERVER_WRITEABLE, LWS_CALLBACK_WS_PEER_INITIATED_CLOSE, LWS_CALLBACK_CLOSED:
        break
    case LWS_CALLBACK_HTTP:
        // Only handshakes are handed over.
        return -1
    default: return 0
    }
    // Both are used within this call only, on the thread that made it.
    nonisolated(unsafe) let (connection, bytes) = unsafe (wsi, UnsafeRawBufferPointer(start: input, count: input == nil ? 0 : count))
    return LoopActor.assumeIsolated { unsafe WebSocketHub.happened(connection, reason, bytes) }
}
