internal import CUV
internal import Glibc

/// A TCP connection with Nagle's delay off. A broken pipe is an error here, never a signal.
@LoopActor
@safe
public final class TCPStream: ByteStream {
    /// While a proxy is asked for the way, nobody is told that there is a connection.
    private enum Phase { case connecting, negotiating, open, lingering, closed }

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
    private var handshake: SOCKSHandshake?

    /// Connects; every address of the name is tried in turn until the time is over. Through a proxy it is the proxy's name that
    /// is looked up: the host's never is here.
    public init(host: String, port: Int, through proxy: SOCKSProxy? = nil, timeoutMilliseconds: UInt64 = 10_000) {
        timeout = Timer(afterMilliseconds: timeoutMilliseconds) { [weak self] in
            // After a long turn the answer may be here already: the sockets are served first.
            LoopActor.atEndOfTurn { if self?.isConnecting ?? false { self?.finish(.timedOut) } }
        }
        if let proxy {
            handshake = SOCKSHandshake(to: host, port: port, of: proxy)
            guard handshake != nil else {
                LoopActor.atEndOfTurn { self.finish(.unreachable) }
                return
            }
        }
        HostLookup.start(host: proxy?.host ?? host, port: proxy?.port ?? port) { addresses in
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
        guard isConnecting || phase == .open, !closesAfterWriting else { return }
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
        guard isConnecting || phase == .open else { return }
        closesAfterWriting = true
        if phase == .open { flush() }
    }

    // MARK: Connecting

    private var isConnecting: Bool { phase == .connecting || phase == .negotiating }

    private func connected() {
        guard let handshake else { return opened() }
        phase = .negotiating
        poll?.want(.readable)
        ask(handshake.greeting)
    }

    /// A few bytes to a socket that took none yet: it takes them at once, or it is broken.
    private func ask(_ bytes: [UInt8]) {
        let count = unsafe bytes.withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if count != bytes.count { finish(.reset) }
    }

    private func proxyAnswered(_ bytes: Span<UInt8>) {
        var bytes = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
        while phase == .negotiating {
            switch handshake?.receive(bytes) ?? .failed("") {
            case .waiting: return
            case .send(let question): ask(question)
            case .failed(let reason): return finish(.proxyFailed(detail: reason))
            case .open(let rest):
                handshake = nil
                opened()
                if phase == .open, !rest.isEmpty { onBytes?(rest.span) }
                return
            }
            bytes = []
        }
    }

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
        guard isConnecting else { return }
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
            if error == 0 && !failed { connected() } else { connectFailed(error) }
        case .negotiating, .open, .lingering:
            if failed || events.contains(.readable) { receive() }
            if failed { finish(.reset) }
            if events.contains(.writable) { flush() }
        case .closed:
            break
        }
    }

    private func receive() {
        // A few rounds, not all there is: one loud peer must not starve the others.
        for _ in 0..<4 where phase != .closed {
            let buffer = unsafe StreamBuffer.network
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 {
                let bytes = unsafe UnsafeBufferPointer(rebasing: buffer[..<count])
                switch phase {
                case .negotiating: unsafe proxyAnswered(bytes.span)
                case .open: unsafe onBytes?(bytes.span)
                case .connecting, .lingering, .closed: break
                }
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
