internal import CLWS

/// Sends bytes that are whole WebSocket frames past libwebsockets' own framing.
enum RawWrite {
    enum Outcome: Equatable {
        /// The kernel has all of it.
        case sent
        /// The kernel does not take all; libwebsockets has copied the rest and sends it later, in order.
        case blocked
        case broken
    }

    /// `isBlocked` is what ``isBlocked(_:)`` says of the connection, whose socket is `descriptor`.
    @inline(__always)
    static func send(_ wsi: OpaquePointer, _ descriptor: Int32, isBlocked: Bool, _ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard let base = bytes.baseAddress else { return isBlocked ? .blocked : .sent }
        // Past libwebsockets' write, which costs a tenth of the system call. That is sound because no connection of ours
        // speaks TLS and because nothing of libwebsockets' own, half a pong perhaps, is waiting to go first.
        var sent = 0
        if !isBlocked {
            guard let taken = unsafe Socket.write(descriptor, bytes) else { return .broken }
            if taken == bytes.count { return .sent }
            sent = taken
        }
        // LWS_WRITE_HTTP, alias LWS_WRITE_RAW, hands the bytes to send(2) as they are: they are only read, although
        // the parameter is mutable for the kinds of write that mask or frame in place.
        let rest = unsafe UnsafeMutablePointer(mutating: (base + sent).assumingMemoryBound(to: UInt8.self))
        guard unsafe lws_write(wsi, rest, bytes.count - sent, LWS_WRITE_HTTP) >= 0 else { return .broken }
        return unsafe self.isBlocked(wsi) ? .blocked : .sent
    }

    /// Whole frames. Not on the loop's actor: a closure that is would have its actor looked up at run time for each frame.
    static func send(_ wsi: OpaquePointer, _ descriptor: Int32, _ frames: [UInt8]) -> Outcome {
        unsafe frames.withUnsafeBytes { unsafe send(wsi, descriptor, isBlocked: isBlocked(wsi), $0) }
    }

    /// Whether a write has to wait for the socket.
    @inline(__always)
    static func isBlocked(_ wsi: OpaquePointer) -> Bool { unsafe lws_partial_buffered(wsi) != 0 }

    /// Closes from outside a callback.
    ///
    /// `flushes` first sends what libwebsockets has buffered.
    static func kill(_ wsi: OpaquePointer, flushes: Bool = false) {
        let reason = flushes ? PENDING_TIMEOUT_USER_OK : PENDING_TIMEOUT_USER_REASON_BASE
        unsafe lws_set_timeout(wsi, reason, LWS_TO_KILL_ASYNC)
        // Its timers are looked at after its own events only; on a quiet loop this one would wait for the next.
        unsafe lws_cancel_service(lws_get_context(wsi))
    }
}
