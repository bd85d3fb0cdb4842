internal import CCurl
public import Delivery
public import Loop

/// Sends requests to wherever somebody has asked us to, within the rules. Connections are kept and used again.
@LoopActor
@safe
public final class OutboundClient {
    /// Connections that are kept for later.
    private static let keptConnections = 256
    private static let keptHandles = 256

    private let rules: OutboundRules
    private let userAgent: String
    private let book: AddressBook
    private let multi: UnsafeMutableRawPointer
    private var polls: [Int32: PollHandle] = [:]
    private var timer: Timer?
    private let soon = OncePerTurn()
    private var transfers: [ObjectIdentifier: Transfer] = [:]
    private var handles: [UnsafeMutableRawPointer]
    private var isClosed = false

    /// Requests that were not answered yet and are not waiting for a name.
    public var underWay: Int { transfers.count }
    /// libcurl's handles that wait for a request.
    var idleHandles: Int { unsafe handles.count }

    public convenience init(rules: OutboundRules, userAgent: String) { self.init(rules: rules, userAgent: userAgent, book: AddressBook()) }

    init(rules: OutboundRules, userAgent: String, book: AddressBook) {
        self.rules = rules
        self.book = book
        self.userAgent = userAgent
        unsafe handles = []
        ccurl_start()
        guard let multi = unsafe curl_multi_init() else { preconditionFailure("libcurl does not start") }
        unsafe self.multi = unsafe multi
        // The callbacks run only within calls on `multi`, which this object makes.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_multi_callbacks(multi, curlSocketChanged, curlTimerChanged, context)
        unsafe ccurl_multi_set_number(multi, CURLMOPT_MAXCONNECTS, Self.keptConnections)
    }

    /// Answers once, never within the call.
    public func send(_ request: OutboundRequest, _ done: @escaping @LoopActor (OutboundAnswer) -> Void) {
        let deadline = Clock.monotonicNanoseconds + UInt64(max(1, request.timeoutMilliseconds)) * 1_000_000
        if let address = request.url.address { return send(request, to: [address], deadline, done) }
        var isAnswered = false
        // The system's look-up knows no time-out of ours.
        let patience = Timer(afterMilliseconds: UInt64(max(1, request.timeoutMilliseconds))) {
            guard !isAnswered else { return }
            isAnswered = true
            done(.failed(.timedOut))
        }
        book.resolve(request.url.host, for: request.account) { [self] addresses in
            guard !isAnswered else { return }
            isAnswered = true
            patience.cancel()
            send(request, to: addresses, deadline, done)
        }
    }

    /// Ends all that is under way.
    public func close() {
        isClosed = true
        timer?.cancel()
        for transfer in Array(transfers.values) { finish(transfer, .failed(.stopped)) }
        for unsafe handle in unsafe handles { unsafe curl_easy_cleanup(handle) }
        unsafe handles = []
        unsafe curl_multi_cleanup(multi)
        for poll in polls.values { poll.close() }
        polls = [:]
    }

    private func send(_ request: OutboundRequest, to addresses: [IPAddress], _ deadline: UInt64, _ done: @escaping @LoopActor (OutboundAnswer) -> Void) {
        var refusal: OutboundFailure?
        if isClosed { refusal = .stopped } else if addresses.isEmpty { refusal = .unresolved }
        if let forbidden = addresses.first(where: { !rules.admits($0) }) { refusal = refusal ?? .forbiddenAddress(forbidden) }
        if let refusal { return LoopActor.atEndOfTurn { done(.failed(refusal)) } }
        begin(Transfer(request, addresses: addresses, deadline: deadline, done))
    }

    private func begin(_ transfer: Transfer) {
        guard let handle = unsafe handles.popLast() ?? curl_easy_init() else { return LoopActor.atEndOfTurn { transfer.done(.failed(.timedOut)) } }
        guard unsafe transfer.prepare(handle, userAgent: userAgent) else {
            unsafe handles.append(handle)
            return LoopActor.atEndOfTurn { transfer.done(.failed(.timedOut)) }
        }
        transfers[ObjectIdentifier(transfer)] = transfer
        unsafe curl_multi_add_handle(multi, handle)
    }

    private func finish(_ transfer: Transfer, _ answer: OutboundAnswer?) {
        transfers[ObjectIdentifier(transfer)] = nil
        if let handle = unsafe transfer.handle { unsafe curl_multi_remove_handle(multi, handle) }
        if let handle = unsafe transfer.release() {
            if unsafe handles.count < Self.keptHandles { unsafe handles.append(handle) } else { unsafe curl_easy_cleanup(handle) }
        }
        if let answer { transfer.done(answer) } else { begin(transfer) }
    }

    // MARK: libcurl

    private func act(on socket: Int32, _ events: Int32) {
        guard !isClosed else { return }
        var running: Int32 = 0
        unsafe curl_multi_socket_action(multi, socket, events, &running)
        var left: Int32 = 0
        while !isClosed, let message = unsafe curl_multi_info_read(multi, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE, let handle = unsafe message.pointee.easy_handle else { continue }
            let result = unsafe ccurl_result(message)
            var context: UnsafeMutablePointer<CChar>?
            unsafe ccurl_get_pointer(handle, CURLINFO_PRIVATE, &context)
            guard let context = unsafe context else { continue }
            // Every transfer that libcurl knows is in `transfers`, and so alive.
            let transfer = unsafe Unmanaged<Transfer>.fromOpaque(UnsafeRawPointer(context)).takeUnretainedValue()
            finish(transfer, transfer.answer(result))
        }
    }

    fileprivate func socketChanged(_ socket: Int32, _ what: Int32) {
        guard what != CURL_POLL_REMOVE else {
            polls.removeValue(forKey: socket)?.close()
            return
        }
        if polls[socket] == nil {
            polls[socket] = PollHandle(descriptor: socket) { [weak self] events, failed in
                var bits: Int32 = failed ? CURL_CSELECT_ERR : 0
                if events.contains(.readable) { bits |= CURL_CSELECT_IN }
                if events.contains(.writable) { bits |= CURL_CSELECT_OUT }
                self?.act(on: socket, bits)
            }
        }
        var wanted: PollHandle.Events = []
        if what & CURL_POLL_IN != 0 { wanted.insert(.readable) }
        if what & CURL_POLL_OUT != 0 { wanted.insert(.writable) }
        polls[socket]?.want(wanted)
    }

    /// libcurl must not be called from within its callback.
    fileprivate func timerChanged(_ milliseconds: Int) {
        timer?.cancel()
        timer = nil
        guard milliseconds >= 0, !isClosed else { return }
        if milliseconds == 0 {
            soon.run { [weak self] in self?.act(on: Int32(ccurl_socket_timeout()), 0) }
        } else {
            timer = Timer(afterMilliseconds: UInt64(milliseconds)) { [weak self] in
                self?.timer = nil
                self?.act(on: Int32(ccurl_socket_timeout()), 0)
            }
        }
    }
}

private func curlSocketChanged(
    _ easy: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ what: Int32, _ context: UnsafeMutableRawPointer?, _ own: UnsafeMutableRawPointer?
) -> Int32 {
    let client = unsafe Unmanaged<OutboundClient>.fromOpaque(context!).takeUnretainedValue()
    LoopActor.assumeIsolated { client.socketChanged(socket, what) }
    return 0
}

private func curlTimerChanged(_ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?) -> Int32 {
    let client = unsafe Unmanaged<OutboundClient>.fromOpaque(context!).takeUnretainedValue()
    LoopActor.assumeIsolated { client.timerChanged(milliseconds) }
    return 0
}
