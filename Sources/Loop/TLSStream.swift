/// TLS over a ``TCPStream``.
@LoopActor
public final class TLSStream: ByteStream {
    private enum Phase { case handshaking, open, closed }

    public var onOpen: (@LoopActor () -> Void)?
    public var onBytes: (@LoopActor (Span<UInt8>) -> Void)?
    public var onDrain: (@LoopActor () -> Void)?
    public var onClose: (@LoopActor (CloseReason) -> Void)?

    private let stream: TCPStream
    private let session: TLSSession?
    /// Holds the context, and with it the pin, for as long as the session may ask for it.
    private let configuration: AnyObject
    private var phase = Phase.handshaking
    private let timeoutMilliseconds: UInt64
    private var timeout: Timer?
    private var plain: [UInt8] = []
    private var isFlushScheduled = false
    private var closesAfterWriting = false

    /// Connects; the time is for connecting and handshake each.
    public convenience init(
        host: String, port: Int, through proxy: SOCKSProxy? = nil, client: TLSClient, timeoutMilliseconds: UInt64 = 10_000
    ) {
        let stream = TCPStream(host: host, port: port, through: proxy, timeoutMilliseconds: timeoutMilliseconds)
        let isName = !host.contains(":") && host.contains { $0.isLetter }
        let session = TLSSession(client.context, client: true, serverName: isName ? host : nil)
        self.init(stream, session, client, timeoutMilliseconds)
        stream.onOpen = { self.startHandshake() }
    }

    /// Takes over a stream that a listener has accepted.
    public convenience init(
        accepting stream: TCPStream, configuration: TLSServerConfiguration, timeoutMilliseconds: UInt64 = 10_000
    ) {
        let session = TLSSession(configuration.context, client: false, serverName: nil)
        self.init(stream, session, configuration, timeoutMilliseconds)
        startHandshake()
    }

    private init(_ stream: TCPStream, _ session: TLSSession?, _ configuration: AnyObject, _ timeoutMilliseconds: UInt64) {
        self.stream = stream
        self.session = session
        self.configuration = configuration
        self.timeoutMilliseconds = timeoutMilliseconds
        stream.onBytes = { self.received($0) }
        stream.onDrain = { self.onDrain?() }
        stream.onClose = { self.finish($0) }
    }

    public var bufferedBytes: Int { plain.count + stream.bufferedBytes }

    public func write(_ bytes: Span<UInt8>) {
        guard phase != .closed, !closesAfterWriting else { return }
        unsafe bytes.withUnsafeBufferPointer { unsafe plain.append(contentsOf: $0) }
        scheduleFlush()
    }

    public func flush() {
        guard phase == .open else { return }
        var start = 0
        // In pieces, so that the session's memory stays small and what is encrypted leaves the cache soon.
        while start < plain.count, let session {
            let end = min(start + 64 * 1024, plain.count)
            guard unsafe plain.withUnsafeBytes({ unsafe session.write(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }) else {
                return finish(.tlsFailed(detail: "cannot encrypt"))
            }
            start = end
            moveOutput()
        }
        plain.removeAll(keepingCapacity: plain.capacity <= 256 * 1024)
        stream.flush()
        if phase == .open, closesAfterWriting { endStream() }
    }

    public func close() {
        if phase == .open {
            session?.sayGoodbye()
            moveOutput()
            stream.flush()
        }
        finish(.closedHere)
    }

    public func closeAfterWriting() {
        guard phase != .closed else { return }
        closesAfterWriting = true
        flush()
    }

    private func startHandshake() {
        timeout = Timer(afterMilliseconds: timeoutMilliseconds) { [weak self] in
            // After a long turn the answer may be here already: the sockets are served first.
            LoopActor.atEndOfTurn { if self?.phase == .handshaking { self?.finish(.timedOut) } }
        }
        continueHandshake()
    }

    private func continueHandshake() {
        guard phase == .handshaking else { return }
        guard let session else { return finish(.tlsFailed(detail: "no TLS session")) }
        let result = session.handshake()
        moveOutput()
        switch result {
        case .incomplete: stream.flush()
        case .failed(let reason):
            // The alert that tells the peer why must still leave.
            stream.flush()
            finish(reason)
        case .complete:
            phase = .open
            timeout?.cancel()
            timeout = nil
            onOpen?()
            flush()
        }
    }

    private func received(_ bytes: Span<UInt8>) {
        session?.receive(bytes)
        continueHandshake()
        let buffer = unsafe StreamBuffer.plain
        while phase == .open, let session {
            switch unsafe session.read(into: buffer) {
            case .bytes(let count): unsafe onBytes?(UnsafeBufferPointer(rebasing: buffer[..<count]).span)
            case .empty: return moveOutput()
            case .closedByPeer: return finish(.closedByPeer)
            case .failed(let reason):
                moveOutput()
                stream.flush()
                return finish(reason)
            }
        }
    }

    /// What the session wants to say itself (handshake, alerts, key updates) as well as what was encrypted.
    private func moveOutput() {
        guard let session else { return }
        let buffer = unsafe StreamBuffer.cipher
        while true {
            let count = unsafe session.takeOutput(into: buffer)
            guard count > 0 else { return }
            unsafe stream.write(UnsafeBufferPointer(rebasing: buffer[..<count]).span)
        }
    }

    private func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        LoopActor.atEndOfTurn {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    private func endStream() {
        session?.sayGoodbye()
        moveOutput()
        stream.closeAfterWriting()
    }

    private func finish(_ reason: CloseReason) {
        guard phase != .closed else { return }
        phase = .closed
        timeout?.cancel()
        timeout = nil
        plain = []
        let onClose = onClose
        self.onClose = nil
        onOpen = nil
        onDrain = nil
        onBytes = nil
        stream.close()
        onClose?(reason)
    }
}
