internal import CNghttp2
internal import Loop

/// The functions that nghttp2 calls, all on the loop's thread, all with the session as their context.
@LoopActor
@safe
enum HTTP2Callbacks {
    /// The same for every session; lives as long as the process.
    static let table: OpaquePointer? = {
        var table: OpaquePointer?
        unsafe nghttp2_session_callbacks_new(&table)
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(table, headersBegan)
        unsafe nghttp2_session_callbacks_set_on_header_callback(table, headerCame)
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(table, frameCame)
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, dataCame)
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(table, streamClosed)
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(table, frameSent)
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(table, frameNotSent)
        return unsafe table
    }()

    static let provider = unsafe nghttp2_data_provider(source: nghttp2_data_source(), read_callback: fillFrame)
}

private func session(_ context: UnsafeMutableRawPointer?) -> HTTP2Session {
    // The session hands nghttp2 its own address and frees nghttp2's part when it goes.
    unsafe Unmanaged<HTTP2Session>.fromOpaque(context!).takeUnretainedValue()
}

private func isEnd(_ header: nghttp2_frame_hd) -> Bool { header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 }

private func headersBegan(
    _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    let session = unsafe session(context)
    LoopActor.assumeIsolated { session.headersBegan() }
    return 0
}

private func headerCame(
    _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ name: UnsafePointer<UInt8>?, _ nameCount: Int,
    _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _ flags: UInt8, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    let session = unsafe session(context)
    // Both are nghttp2's for the time of this call, and are read within it.
    nonisolated(unsafe) let name = unsafe UnsafeBufferPointer(start: name, count: nameCount)
    nonisolated(unsafe) let value = unsafe UnsafeBufferPointer(start: value, count: valueCount)
    let isTaken = LoopActor.assumeIsolated { unsafe session.headerCame(name, value) }
    return isTaken ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
}

private func frameCame(
    _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    let session = unsafe session(context)
    let header = unsafe frame!.pointee.hd
    let (id, isEnd) = (header.stream_id, isEnd(header))
    switch UInt32(header.type) {
    case NGHTTP2_HEADERS.rawValue:
        let isRequest = unsafe frame!.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
        LoopActor.assumeIsolated { session.headersEnded(id, isRequest: isRequest, isEnd: isEnd) }
    case NGHTTP2_DATA.rawValue:
        if isEnd { LoopActor.assumeIsolated { session.inputEnded(id) } }
    case NGHTTP2_PING.rawValue:
        if header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 { LoopActor.assumeIsolated { session.pingAnswered() } }
    case NGHTTP2_GOAWAY.rawValue:
        let goAway = unsafe frame!.pointee.goaway
        let text = unsafe UnsafeBufferPointer(start: goAway.opaque_data, count: min(goAway.opaque_data_len, 256))
        let (code, detail) = unsafe (goAway.error_code, String(decoding: text, as: UTF8.self))
        LoopActor.assumeIsolated { session.goAwayCame(code: code, detail: detail) }
    default:
        break
    }
    return 0
}

private func dataCame(
    _: OpaquePointer?, _ flags: UInt8, _ id: Int32, _ data: UnsafePointer<UInt8>?, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    let session = unsafe session(context)
    // nghttp2's for the time of this call, and read within it.
    nonisolated(unsafe) let data = unsafe UnsafeBufferPointer(start: data, count: count)
    LoopActor.assumeIsolated { unsafe session.dataCame(id, data.span) }
    return 0
}

private func streamClosed(_: OpaquePointer?, _ id: Int32, _ code: UInt32, _ context: UnsafeMutableRawPointer?) -> Int32 {
    let session = unsafe session(context)
    LoopActor.assumeIsolated { session.streamClosed(id, errorCode: code) }
    return 0
}

private func frameSent(
    _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    let session = unsafe session(context)
    let header = unsafe frame!.pointee.hd
    if UInt32(header.type) == NGHTTP2_HEADERS.rawValue && isEnd(header) {
        LoopActor.assumeIsolated { session.endSent(header.stream_id) }
    }
    return 0
}

/// A request that could not leave, after a GOAWAY or a cancellation, never becomes a stream that could close.
private func frameNotSent(
    _: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ error: Int32, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    let session = unsafe session(context)
    let header = unsafe frame!.pointee.hd
    if unsafe UInt32(header.type) == NGHTTP2_HEADERS.rawValue && frame!.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
        LoopActor.assumeIsolated {
            session.streamClosed(header.stream_id, errorCode: NGHTTP2_REFUSED_STREAM.rawValue)
        }
    }
    return 0
}

private func fillFrame(
    _: OpaquePointer?, _ id: Int32, _ buffer: UnsafeMutablePointer<UInt8>?, _ capacity: Int,
    _ flags: UnsafeMutablePointer<UInt32>?, _: UnsafeMutablePointer<nghttp2_data_source>?, _ context: UnsafeMutableRawPointer?
) -> Int {
    let session = unsafe session(context)
    // Both are nghttp2's for the time of this call, and are written within it.
    nonisolated(unsafe) let buffer = unsafe UnsafeMutableRawBufferPointer(start: buffer, count: capacity)
    nonisolated(unsafe) let flags = unsafe flags!
    return LoopActor.assumeIsolated { unsafe session.fill(id, buffer, &flags.pointee) }
}
