internal import CUV
internal import Glibc

/// A TCP connection with Nagle's delay off. A broken pipe is an error here, never a signal.
@LoopActor
@safe
public final class TCPStream: ByteStream {
    private enum Phase { case connecting, open, lingering, closed }

    public var onOpen: (@LoopActor () -> Void)?
    public var onBytes: (@LoopActor (Span<UInt8>) -> Void)?
    public var onDrain: (@LoopActor () -> Void)?
    public var onClose: (@LoopActor (CloseReason) -> Void)?

    private var phase = Phase.connecting
    private var descriptor: Int32 = -1
    private var poll: PollHandle?
    private var timeout: Timer?
    private var addresses: ArraySlice<SocketAddress> = []
    private var lastFailure = CloseReason.unreachable
    private var output: [UInt8] = []
    private var sent = 0
    private var isFlushScheduled = false
    private var wasFull = false
    private var closesAfterWriting = false

    /// Connects; every address of the name is tried in turn until the time is over.
    public init(host: String, port: Int, timeoutMilliseconds: UInt64 = 10_000) {
        timeout = Timer(afterMilliseconds: timeoutMilliseconds) { [weak self] in
            // After a long turn the answer may be here already: the sockets are served first.
            LoopActor.atEndOfTurn { if self?.phase == .connecting { self?.finish(.timedOut) } }
        }
        HostLookup.start(host: host, port: port) { addresses in
            self.addresses = addresses[...]
            self.connectToNext()
        }
    }

    /// Takes over a connected descriptor; polling makes it non-blocking.
    init(taking descriptor: Int32) {
        self.descriptor = descriptor
        startPolling()
        opened()
    }

    public var bufferedBytes: Int { output.count - sent }

    public func write(_ bytes: Span<UInt8>) {
        guard phase == .connecting || phase == .open, !closesAfterWriting else { return }
        unsafe bytes.withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
        scheduleFlush()
    }

    public func flush() {
        guard phase == .open else { return }
        while sent < output.count {
            let count = unsafe output.withUnsafeBytes { bytes in
                unsafe send(descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                wasFull = true
                // Forget what is sent once it is the larger part, so that a slow peer costs no endless buffer.
                if sent > output.count / 2 { dropSent() }
                poll?.want([.readable, .writable])
                return
            } else if errno != EINTR {
                finish(.reset)
                return
            }
        }
        output.removeAll(keepingCapacity: output.capacity <= Self.keptCapacity)
        sent = 0
        poll?.want(.readable)
        if closesAfterWriting { return linger() }
        if wasFull {
            wasFull = false
            onDrain?()
        }
    }

    public func close() { finish(.closedHere) }

    public func closeAfterWriting() {
        guard phase == .connecting || phase == .open else { return }
        closesAfterWriting = true
        if phase == .open { flush() }
    }

    // MARK: Connecting

    private func connectToNext() {
        guard phase == .connecting else { return }
        guard let address = addresses.popFirst() else { return finish(lastFailure) }
        descriptor = address.makeSocket()
        guard descriptor >= 0 else { return finish(.unreachable) }
        let result = unsafe address.withPointer { unsafe connect(descriptor, $0, $1) }
        if result == 0 || errno == EINPROGRESS {
            startPolling()
            poll?.want(.writable)
        } else {
            connectFailed(errno)
        }
    }

    private func connectFailed(_ error: Int32) {
        lastFailure =
            switch error {
            case ECONNREFUSED: .refused
            case ETIMEDOUT: .timedOut
            case ECONNRESET: .reset
            default: .unreachable
            }
        release()
        connectToNext()
    }

    private func opened() {
        guard phase == .connecting else { return }
        phase = .open
        timeout?.cancel()
        timeout = nil
        var on: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        poll?.want(.readable)
        onOpen?()
        if !output.isEmpty || closesAfterWriting { flush() }
    }

    // MARK: The socket's news

    private func startPolling() {
        poll = PollHandle(descriptor: descriptor) { events, failed in self.happened(events, failed: failed) }
        if poll == nil { finish(.unreachable) }
    }

    private func happened(_ events: PollHandle.Events, failed: Bool) {
        switch phase {
        case .connecting:
            let error = socketError()
            if error == 0 && !failed { opened() } else { connectFailed(error) }
        case .open, .lingering:
            if failed || events.contains(.readable) { receive() }
            if failed { finish(.reset) }
            if events.contains(.writable) { flush() }
        case .closed:
            break
        }
    }

    private func receive() {
        // A few rounds, not all there is: one loud peer must not starve the others.
        for _ in 0..<4 where phase == .open || phase == .lingering {
            let buffer = unsafe StreamBuffer.network
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 {
                if phase == .open { unsafe onBytes?(UnsafeBufferPointer(rebasing: buffer[..<count]).span) }
                if count < buffer.count { return }
            } else if count == 0 {
                return finish(.closedByPeer)
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                return
            } else if errno != EINTR {
                return finish(.reset)
            }
        }
    }

    private func socketError() -> Int32 {
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
        return error
    }

    // MARK: Ending

    private func scheduleFlush() {
        guard !isFlushScheduled, phase == .open else { return }
        isFlushScheduled = true
        LoopActor.atEndOfTurn {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    private func dropSent() {
        output.removeFirst(sent)
        sent = 0
    }

    /// Says that no more will come and waits for the peer: closing with unread bytes would reset the connection and
    /// could take the last answer away.
    private func linger() {
        phase = .lingering
        shutdown(descriptor, Int32(SHUT_WR))
        timeout = Timer(afterMilliseconds: 1_000) { [weak self] in self?.finish(.closedHere) }
    }

    private func release() {
        poll?.close()
        poll = nil
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }

    private func finish(_ reason: CloseReason) {
        guard phase != .closed else { return }
        let reason = phase == .lingering ? .closedHere : reason
        phase = .closed
        timeout?.cancel()
        timeout = nil
        release()
        output = []
        sent = 0
        let onClose = onClose
        self.onClose = nil
        onOpen = nil
        onDrain = nil
        // `onBytes` may be the caller of this: it is released with the stream.
        onBytes = nil
        onClose?(reason)
    }

    private static let keptCapacity = 256 * 1024
}
