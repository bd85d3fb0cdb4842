internal import CNghttp2
internal import Loop

/// Owns an `nghttp2_session`: bytes of the peer go in, bytes for the peer come out, calls are told what concerns them.
///
/// It has no socket and no clock. Nothing of the peer's bytes can trap: a broken rule ends the stream or the session.
@LoopActor
@safe
final class HTTP2Session {
    /// A new stream of the peer, on a server. Nil refuses it.
    var onRequest: (@LoopActor (_ id: Int32, [HeaderField]) -> (any HTTP2Stream)?)?
    var onGoAway: (@LoopActor (_ code: UInt32, _ detail: String) -> Void)?
    var onPingAnswered: (@LoopActor () -> Void)?
    /// There may be bytes to take.
    var onOutput: (@LoopActor () -> Void)?
    var onStreamCount: (@LoopActor (Int) -> Void)?

    private var session: OpaquePointer?
    private let isServer: Bool
    private var streams: [Int32: any HTTP2Stream] = [:]
    /// The header block that is coming in; HTTP/2 sends them one at a time.
    private var block: [HeaderField] = []
    private var blockBytes = 0
    private var isBusy = false
    /// nghttp2 itself could not go on.
    private var isBroken = false

    init(isServer: Bool, settings: GRPCSettings = GRPCSettings()) {
        self.isServer = isServer
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        if isServer {
            unsafe nghttp2_session_server_new(&session, HTTP2Callbacks.table, context)
        } else {
            unsafe nghttp2_session_client_new(&session, HTTP2Callbacks.table, context)
        }
        let entries = [
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(clamping: settings.callWindowBytes)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: UInt32(clamping: settings.maximumCallsPerConnection)),
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0),
        ]
        // A server has no say about pushes.
        unsafe nghttp2_submit_settings(session, 0, entries, isServer ? 2 : 3)
        unsafe nghttp2_session_set_local_window_size(session, 0, 0, Int32(clamping: settings.connectionWindowBytes))
    }

    isolated deinit { unsafe nghttp2_session_del(session) }

    var streamCount: Int { streams.count }

    /// False when all has been said: the connection should end once its output is written.
    var isAlive: Bool {
        guard !isBroken else { return false }
        return unsafe nghttp2_session_want_read(session) != 0 || nghttp2_session_want_write(session) != 0
    }

    /// False if the peer cannot be understood any more.
    func receive(_ bytes: Span<UInt8>) -> Bool {
        isBusy = true
        defer {
            isBusy = false
            onOutput?()
        }
        let result = unsafe bytes.withUnsafeBufferPointer { unsafe nghttp2_session_mem_recv(session, $0.baseAddress, $0.count) }
        return result >= 0
    }

    /// Hands out what must go to the peer, in pieces, while `wantsMore` agrees. False if `wantsMore` ended it.
    func takeOutput(while wantsMore: () -> Bool, _ body: (Span<UInt8>) -> Void) -> Bool {
        // A stream that is being told something may have closed the connection; what it said leaves later or never.
        guard !isBusy else { return true }
        isBusy = true
        defer { isBusy = false }
        while wantsMore() {
            var data: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &data)
            isBroken = isBroken || count < 0
            guard count > 0 else { return true }
            unsafe body(UnsafeBufferPointer(start: data, count: count).span)
        }
        return false
    }

    // MARK: Orders

    /// Opens a stream whose body comes from `stream`; nil if the session takes no more.
    func request(_ fields: [HeaderField], _ stream: any HTTP2Stream) -> Int32? {
        var provider = unsafe HTTP2Callbacks.provider
        let id = unsafe HeaderField.withNameValues(fields) { pairs, count in
            unsafe nghttp2_submit_request(session, nil, pairs, count, &provider, nil)
        }
        guard id > 0 else { return nil }
        streams[id] = stream
        onStreamCount?(streams.count)
        onOutput?()
        return id
    }

    /// Answers with headers; `isEnd` for trailers-only.
    func respond(_ id: Int32, _ fields: [HeaderField], isEnd: Bool) {
        var provider = unsafe HTTP2Callbacks.provider
        unsafe HeaderField.withNameValues(fields) { pairs, count in
            _ = unsafe withUnsafePointer(to: &provider) { provider in
                unsafe nghttp2_submit_response(session, id, pairs, count, isEnd ? nil : provider)
            }
        }
        onOutput?()
    }

    /// The stream has something to send again.
    func resume(_ id: Int32) {
        unsafe nghttp2_session_resume_data(session, id)
        onOutput?()
    }

    func reset(_ id: Int32, code: UInt32) {
        unsafe nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code)
        onOutput?()
    }

    /// Lets go of a stream that has its status, if the client's half of it is still open; no error.
    func abandonIfOpen(_ id: Int32) {
        let isClosed = unsafe isServer
            ? nghttp2_session_get_stream_remote_close(session, id) : nghttp2_session_get_stream_local_close(session, id)
        if isClosed == 0 { reset(id, code: NGHTTP2_NO_ERROR.rawValue) }
    }

    func ping() {
        unsafe nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
        onOutput?()
    }

    /// Takes no new streams; those that are open may finish.
    func sayGoodbye() {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
        unsafe nghttp2_submit_goaway(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, NGHTTP2_NO_ERROR.rawValue, nil, 0)
        onOutput?()
    }

    /// Ends all streams: the connection is gone.
    func connectionLost(_ reason: ClosedReason) {
        let lost = streams
        streams = [:]
        onRequest = nil
        onOutput = nil
        for id in lost.keys.sorted() { lost[id]?.connectionLost(reason) }
        onStreamCount = nil
        onGoAway = nil
        onPingAnswered = nil
    }

    // MARK: News from nghttp2

    fileprivate static let maximumBlockBytes = 64 * 1024

    func headersBegan() {
        block = []
        blockBytes = 0
    }

    /// False if the block is longer than anyone needs.
    func headerCame(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
        blockBytes += name.count + value.count + 32
        guard blockBytes <= Self.maximumBlockBytes else { return false }
        unsafe block.append(HeaderField(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        return true
    }

    func headersEnded(_ id: Int32, isRequest: Bool, isEnd: Bool) {
        let fields = block
        block = []
        if isServer && isRequest {
            guard let stream = onRequest?(id, fields) else { return reset(id, code: NGHTTP2_REFUSED_STREAM.rawValue) }
            streams[id] = stream
            onStreamCount?(streams.count)
        } else {
            streams[id]?.received(fields, isEnd: isEnd)
        }
        if isEnd { inputEnded(id) }
    }

    func dataCame(_ id: Int32, _ data: Span<UInt8>) { streams[id]?.received(data) }

    func inputEnded(_ id: Int32) { streams[id]?.inputEnded() }

    func fill(_ id: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ flags: inout UInt32) -> Int {
        guard let stream = streams[id] else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
        switch unsafe stream.fill(buffer) {
        case .bytes(0): return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        case .bytes(let count): return count
        case .last(let count, let trailers):
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if !trailers.isEmpty {
                flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                unsafe HeaderField.withNameValues(trailers) { _ = unsafe nghttp2_submit_trailer(session, id, $0, $1) }
            }
            return count
        }
    }

    /// A server that has said everything lets go of a stream that its client keeps open.
    func endSent(_ id: Int32) { if isServer { abandonIfOpen(id) } }

    func streamClosed(_ id: Int32, errorCode: UInt32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.closed(errorCode: errorCode)
        onStreamCount?(streams.count)
    }

    func goAwayCame(code: UInt32, detail: String) { onGoAway?(code, detail) }
    func pingAnswered() { onPingAnswered?() }
}
