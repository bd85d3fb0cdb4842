internal import CUV
internal import Glibc

/// A libuv loop on its own thread that Swift runs actor jobs on.
///
/// Guarantees: jobs run in the order they were enqueued, on one thread; the loop is woken once per batch; jobs that
/// are enqueued while a batch runs wait for the next turn, so sockets are never starved.
/// It refuses to know what runs on it.
@safe
public final class EventLoop: SerialExecutor, @unchecked Sendable {
    // @unchecked: the handles, `turn` and `isPolling` are touched on the loop's thread only once it runs, except by
    // `uv_async_send`, the one libuv call that is documented as safe from any thread.
    private let loop: UnsafeMutablePointer<uv_loop_t>
    private let wakeup: UnsafeMutablePointer<uv_async_t>
    private let prepare: UnsafeMutablePointer<uv_prepare_t>
    private let check: UnsafeMutablePointer<uv_check_t>
    private let inbox = Locked<[UnownedJob]>([])
    private let isRunning = Locked(false)
    private var turn: [() -> Void] = []
    /// Whether the end of the turn follows without another wait.
    private var isPolling = false

    /// Starts the thread and returns when the loop runs.
    public init() {
        unsafe loop = .allocate(capacity: 1)
        unsafe wakeup = .allocate(capacity: 1)
        unsafe prepare = .allocate(capacity: 1)
        unsafe check = .allocate(capacity: 1)
        unsafe uv_loop_init(loop)
        unsafe wakeup.initialize(to: uv_async_t())
        unsafe prepare.initialize(to: uv_prepare_t())
        unsafe check.initialize(to: uv_check_t())
        unsafe uv_async_init(loop, wakeup, loopWasWoken)
        unsafe uv_prepare_init(loop, prepare)
        unsafe uv_check_init(loop, check)
        unsafe wakeup.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        unsafe prepare.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        unsafe check.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        unsafe uv_prepare_start(prepare, loopWillPoll)
        unsafe uv_check_start(check, loopTurnEnded)
        var id = pthread_t()
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        unsafe pthread_create(&id, nil, runLoop, context)
        pthread_detach(id)
        while !isRunning.withLock({ $0 }) { sched_yield() }
    }

    /// The `uv_loop_t`, for adapters that hand it to another C library.
    public var rawLoop: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(loop) }

    /// Whether the caller is on the loop's thread.
    ///
    /// `cuv_current` is used in this file alone: a header's thread-local exists once per object file.
    public var isCurrent: Bool { unsafe cuv_current().pointee == UnsafeMutableRawPointer(loop) }

    /// Runs `body` when the loop has served all that is ready in this turn. For the loop's thread only.
    ///
    /// This is where work that gathers over a turn (one statement for many settlements) is sent off.
    func atEndOfTurn(_ body: @escaping () -> Void) {
        turn.append(body)
        // Outside the poll phase (in a timer, at the end of a turn) it could otherwise wait for the next event.
        if turn.count == 1 && !isPolling { unsafe uv_async_send(wakeup) }
    }

    fileprivate func run() {
        unsafe cuv_current().pointee = UnsafeMutableRawPointer(loop)
        isRunning.withLock { $0 = true }
        unsafe uv_run(loop, UV_RUN_DEFAULT)
    }

    fileprivate func drain() {
        let jobs = inbox.withLock { inbox in
            let jobs = inbox
            inbox = []
            return jobs
        }
        for job in jobs { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
    }

    fileprivate func willPoll() { isPolling = true }

    fileprivate func endTurn() {
        isPolling = false
        guard !turn.isEmpty else { return }
        let bodies = turn
        turn = []
        for body in bodies { body() }
    }

    // MARK: SerialExecutor

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = inbox.withLock { inbox in
            inbox.append(job)
            return inbox.count == 1
        }
        if mustWake { unsafe uv_async_send(wakeup) }
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }
    public func checkIsolated() { precondition(isCurrent, "not on the event loop") }
    public func isIsolatingCurrentContext() -> Bool? { isCurrent }
}

private func runLoop(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    unsafe Unmanaged<EventLoop>.fromOpaque(context!).takeRetainedValue().run()
    return nil
}

private func loopWasWoken(_ handle: UnsafeMutablePointer<uv_async_t>?) {
    unsafe Unmanaged<EventLoop>.fromOpaque(handle!.pointee.data!).takeUnretainedValue().drain()
}

private func loopWillPoll(_ handle: UnsafeMutablePointer<uv_prepare_t>?) {
    unsafe Unmanaged<EventLoop>.fromOpaque(handle!.pointee.data!).takeUnretainedValue().willPoll()
}

private func loopTurnEnded(_ handle: UnsafeMutablePointer<uv_check_t>?) {
    unsafe Unmanaged<EventLoop>.fromOpaque(handle!.pointee.data!).takeUnretainedValue().endTurn()
}
