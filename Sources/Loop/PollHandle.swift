internal import CUV

/// Tells when a descriptor that somebody else owns (libpq, OpenSSL) can be read or written.
@LoopActor
@safe
public final class PollHandle {
    public struct Events: OptionSet, Sendable {
        public var rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }
        public static let readable = Self(rawValue: 1)
        public static let writable = Self(rawValue: 2)
        /// The peer has closed its side.
        public static let disconnected = Self(rawValue: 4)
    }

    private var handle: UnsafeMutablePointer<uv_poll_t>?
    private var wanted: Events = []
    private let body: @LoopActor (Events, _ failed: Bool) -> Void

    /// The descriptor must stay open until ``close()`` has been called. `nil` if it cannot be polled.
    public init?(descriptor: Int32, _ body: @escaping @LoopActor (Events, _ failed: Bool) -> Void) {
        self.body = body
        let handle = UnsafeMutablePointer<uv_poll_t>.allocate(capacity: 1)
        unsafe handle.initialize(to: uv_poll_t())
        let loop = unsafe LoopActor.loop.rawLoop.assumingMemoryBound(to: uv_loop_t.self)
        guard unsafe uv_poll_init(loop, handle, descriptor) == 0 else {
            unsafe handle.deallocate()
            return nil
        }
        unsafe handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        unsafe self.handle = handle
    }

    /// Asks for these events from now on; an empty set pauses.
    public func want(_ events: Events) {
        guard let handle = unsafe handle, events != wanted else { return }
        wanted = events
        if events.isEmpty {
            unsafe uv_poll_stop(handle)
        } else {
            unsafe uv_poll_start(handle, events.rawValue, pollHappened)
        }
    }

    /// After this the body never runs again and the descriptor may be closed. Safe to call twice.
    public func close() {
        guard let handle = unsafe handle else { return }
        unsafe self.handle = nil
        unsafe uv_poll_stop(handle)
        unsafe uv_close(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self), pollClosed)
    }

    fileprivate func happened(status: Int32, events: Int32) {
        guard unsafe handle != nil else { return }
        body(Events(rawValue: events), status < 0)
    }
}

private func pollHappened(_ handle: UnsafeMutablePointer<uv_poll_t>?, status: Int32, events: Int32) {
    let poll = unsafe Unmanaged<PollHandle>.fromOpaque(handle!.pointee.data!).takeUnretainedValue()
    LoopActor.assumeIsolated { poll.happened(status: status, events: events) }
}

private func pollClosed(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    unsafe Unmanaged<PollHandle>.fromOpaque(handle!.pointee.data!).release()
    unsafe UnsafeMutableRawPointer(handle!).assumingMemoryBound(to: uv_poll_t.self).deallocate()
}
