internal import CUV

/// A libuv timer. For a few long-lived timers; ``TimerWheel`` is for many.
@LoopActor
@safe
public final class Timer {
    private var handle: UnsafeMutablePointer<uv_timer_t>?
    private let body: @LoopActor () -> Void

    /// Starts at once. `repeats` is the period after the first time; zero means once.
    public init(afterMilliseconds delay: UInt64, repeats: UInt64 = 0, _ body: @escaping @LoopActor () -> Void) {
        self.body = body
        let handle = UnsafeMutablePointer<uv_timer_t>.allocate(capacity: 1)
        unsafe handle.initialize(to: uv_timer_t())
        let loop = unsafe LoopActor.loop.rawLoop.assumingMemoryBound(to: uv_loop_t.self)
        unsafe uv_timer_init(loop, handle)
        // libuv counts from the start of the turn; after a long one the timer would fire too early.
        unsafe uv_update_time(loop)
        // The handle keeps the timer alive until it is cancelled or has fired for the last time.
        unsafe handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        unsafe self.handle = handle
        unsafe uv_timer_start(handle, timerFired, delay, repeats)
    }

    /// After this the body never runs again. Safe to call twice.
    public func cancel() {
        guard let handle = unsafe handle else { return }
        unsafe self.handle = nil
        unsafe uv_timer_stop(handle)
        unsafe uv_close(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self), timerClosed)
    }

    fileprivate func fired() {
        guard let handle = unsafe handle else { return }
        if unsafe uv_timer_get_repeat(handle) == 0 { cancel() }
        body()
    }
}

private func timerFired(_ handle: UnsafeMutablePointer<uv_timer_t>?) {
    let timer = unsafe Unmanaged<Timer>.fromOpaque(handle!.pointee.data!).takeUnretainedValue()
    LoopActor.assumeIsolated { timer.fired() }
}

private func timerClosed(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    unsafe Unmanaged<Timer>.fromOpaque(handle!.pointee.data!).release()
    unsafe UnsafeMutableRawPointer(handle!).assumingMemoryBound(to: uv_timer_t.self).deallocate()
}
