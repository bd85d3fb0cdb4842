internal import Glibc
internal import Loop

/// One client that speaks HTTP: reads requests one after the other, answers them in order, and gives the socket away
/// when a request turns out to be a WebSocket handshake.
@LoopActor
final class HTTPConnection {
    private enum State {
        case reading
        /// A request is with the application; nothing more is parsed before its answer.
        case awaiting
        case streaming
        /// The last answer is on its way; then nothing more is said.
        case finishing
        /// All is said; what the client still sends is thrown away, because a close with unread input is a reset that
        /// could overtake the answer.
        case lingering
        case closed
    }

    let descriptor: Int32
    private let peer: String
    private let server: EdgeServer
    private var poll: PollHandle?
    private var state = State.reading {
        didSet {
            if state == .streaming { server.eventStreams += 1 } else if oldValue == .streaming { server.eventStreams -= 1 }
        }
    }
    private var parser: HTTPParser
    private var input: [UInt8] = []
    private var output = UnsentBytes()
    private var accounted = 0
    private var received = 0
    private var peerFinished = false
    private var isProcessing = false
    private var requestNumber: UInt64 = 0
    private var framing = HTTPEncoder.Framing(keepsAlive: true, isVersion11: true, omitsBody: false, requestID: nil, date: "")
    private weak var responder: HTTPResponder?
    private weak var stream: EventStream?
    /// In seconds of the server's tick; the connection is closed when it passes.
    private var deadline: Int

    init(descriptor: Int32, peer: String, server: EdgeServer) {
        self.descriptor = descriptor
        self.peer = peer
        self.server = server
        deadline = server.seconds + server.limits.requestSeconds
        parser = HTTPParser(headLimit: server.limits.headBytes, bodyLimit: server.limits.bodyBytes)
    }

    func start() {
        poll = PollHandle(descriptor: descriptor) { [weak self] events, failed in self?.happened(events, failed) }
        guard poll != nil else { return close() }
        poll?.want(.readable)
    }

    /// Called about once a second.
    func tick(_ seconds: Int) {
        guard seconds >= deadline else {
            // A half-sent answer keeps its buffers, an idle connection needs none.
            if state == .reading, input.isEmpty, output.isEmpty, input.capacity > 0 {
                input = []
                output.forget()
            }
            return
        }
        switch state {
        case .awaiting: break
        case .streaming:
            deadline = seconds + 15
            if output.isEmpty { _ = sendEvent(Array(":\n\n".utf8)) } else { close() }
        case .reading where parser.pending != nil || !input.isEmpty: refuse(408)
        default: close()
        }
    }

    private func happened(_ events: PollHandle.Events, _ failed: Bool) {
        if failed { return close() }
        if events.contains(.writable) {
            flush()
            if state == .reading, !input.isEmpty { process() }
        }
        if events.contains(.readable) { read() }
    }

    // MARK: In

    private func read() {
        switch unsafe Socket.read(descriptor, into: server.scratch) {
        case .wouldBlock: return
        case .closed:
            peerFinished = true
            // A client may end its side after the request and still get an answer that is on its way.
            if state == .awaiting, responder?.onClose == nil { return updatePoll() }
            if state != .awaiting, state != .streaming, !output.isEmpty { return updatePoll() }
            close()
        case .bytes(let count):
            switch state {
            case .finishing, .lingering, .streaming, .closed: return
            case .reading, .awaiting:
                if state == .reading, input.isEmpty { deadline = server.seconds + server.limits.requestSeconds }
                received += count
                unsafe input.append(contentsOf: server.scratch[..<count])
                process()
            }
        }
    }

    /// Parses and hands on as long as there is a whole request and the last answer is out.
    private func process() {
        guard !isProcessing else { return }
        isProcessing = true
        var consumed = 0
        parsing: while state == .reading, consumed < input.count, output.count < 65536 {
            switch parser.parse(input.span.extracting(droppingFirst: consumed)) {
            case .incomplete:
                if parser.takeContinue() { output.add { $0.append(contentsOf: "HTTP/1.1 100 Continue\r\n\r\n".utf8) } }
                break parsing
            case .refused(let status):
                consumed = input.count
                refuse(status)
            case .request(var request, let traits, let count):
                request.peer = peer
                consumed += count
                guard !request.isQueryMalformed || server.forgives(request.path) else {
                    consumed = input.count
                    refuse(400)
                    break
                }
                deadline = server.seconds + server.limits.requestSeconds
                if let key = traits.webSocketKey, server.isWebSocketPath(request.path) {
                    upgrade(request, key: key, traits, rest: Array(input[consumed...]))
                } else {
                    accept(request, traits)
                }
            }
        }
        if consumed >= input.count { input.removeAll(keepingCapacity: true) } else { input.removeFirst(consumed) }
        isProcessing = false
        flush()
    }

    private func accept(_ request: HTTPRequest, _ traits: HTTPParser.Traits) {
        requestNumber += 1
        state = .awaiting
        deadline = .max
        let id = request.headers.requestID
        framing = .init(
            keepsAlive: traits.keepsAlive && !server.isDraining, isVersion11: traits.isVersion11, omitsBody: request.method == .head,
            requestID: (id?.utf8.count ?? 0) <= 128 ? id : nil, date: server.date)
        if server.isWebSocketPath(request.path) {
            return respond(.problem(426, code: "upgrade_required", title: "This address speaks WebSocket"), to: requestNumber)
        }
        if let page = server.page(for: request) { return respond(page, to: requestNumber) }
        let responder = HTTPResponder(connection: self, request: requestNumber)
        self.responder = responder
        server.application.handle(request, responder)
    }

    private func upgrade(_ request: HTTPRequest, key: String, _ traits: HTTPParser.Traits, rest: [UInt8]) {
        guard server.allowsOrigin(request.headers.origin) else {
            server.countRefusedOrigin()
            return refuse(.problem(403, code: "origin_refused", title: "This origin may not open a WebSocket"))
        }
        guard !server.isDraining else { return refuse(.problem(503, code: "stopping", title: "This process ends; come back")) }
        guard output.isEmpty else { return refuse(400) }
        poll?.close()
        poll = nil
        state = .closed
        server.forget(self)
        server.adopt(descriptor, key: key, offersCentrifuge: traits.offersCentrifuge, rest: rest, consumed: received - rest.count)
    }

    // MARK: Out

    func isAwaiting(_ request: UInt64) -> Bool { state == .awaiting && requestNumber == request }

    func respond(_ response: HTTPResponse, to request: UInt64) {
        guard isAwaiting(request) else { return }
        responder = nil
        output.add { HTTPEncoder.encode(response, framing, into: &$0) }
        finishAnswer()
    }

    /// The application lets the client wait, perhaps for long.
    func lettingWait(_ request: UInt64) {
        guard peerFinished, isAwaiting(request) else { return }
        LoopActor.atEndOfTurn { [weak self] in if let self, isAwaiting(request), responder?.onClose != nil { close() } }
    }

    func abandoned(_ request: UInt64) {
        guard isAwaiting(request) else { return }
        respond(.problem(500, code: "internal", title: "No answer was given"), to: request)
    }

    func stream(_ headers: [HTTPResponse.Header], to request: UInt64) -> EventStream {
        guard isAwaiting(request) else { return EventStream(connection: nil) }
        responder = nil
        let stream = EventStream(connection: self)
        self.stream = stream
        state = .streaming
        deadline = server.seconds + 15
        Socket.limitSilence(descriptor, milliseconds: 30_000)
        output.add { HTTPEncoder.encodeStream(headers, framing, into: &$0) }
        if framing.omitsBody || peerFinished { endStream() } else { flush() }
        return stream
    }

    /// The server ends: the request that is under way is the last.
    func drain() {
        switch state {
        case .awaiting: framing.keepsAlive = false
        // Whoever has just come gets an answer to the first request.
        case .reading where requestNumber > 0 && input.isEmpty && output.isEmpty && parser.pending == nil: close()
        case .reading, .streaming, .finishing, .lingering, .closed: break
        }
    }

    func sendEvent(_ bytes: [UInt8]) -> Bool {
        guard state == .streaming else { return false }
        if output.isEmpty {
            guard let count = unsafe bytes.withUnsafeBytes({ unsafe Socket.write(descriptor, $0) }) else {
                close()
                return false
            }
            if count == bytes.count { return true }
            output.add { $0.append(contentsOf: bytes[count...]) }
            updatePoll()
        } else {
            guard output.count + bytes.count <= server.limits.outboxBytes else {
                close()
                return false
            }
            output.add { $0.append(contentsOf: bytes) }
        }
        account()
        guard !server.isFull else {
            close()
            return false
        }
        return true
    }

    func endStream() {
        guard state == .streaming else { return }
        stream = nil
        framing.keepsAlive = false
        finishAnswer()
    }

    private func refuse(_ status: Int) { refuse(.unread(status, bodyLimit: server.limits.bodyBytes)) }

    /// The last answer: what follows on the connection is not read.
    private func refuse(_ response: HTTPResponse) {
        framing = .init(keepsAlive: false, isVersion11: true, omitsBody: false, requestID: nil, date: server.date)
        output.add { HTTPEncoder.encode(response, framing, into: &$0) }
        finishAnswer()
    }

    private func finishAnswer() {
        state = framing.keepsAlive ? .reading : .finishing
        deadline = server.seconds + server.limits.idleSeconds
        guard !isProcessing else { return }
        if state == .reading, !input.isEmpty { process() } else { flush() }
    }

    private func flush() {
        guard state != .closed else { return }
        guard output.send(to: descriptor) else { return close() }
        if output.isEmpty {
            if peerFinished, state == .finishing || state == .reading { return close() }
            if state == .finishing {
                Socket.finishWriting(descriptor)
                state = .lingering
                deadline = server.seconds + 2
            }
        }
        account()
        updatePoll()
    }

    /// What waits for a reader of a stream counts with what waits for all clients.
    private func account() {
        let waiting = state == .streaming ? output.count : 0
        server.waitingBytes += waiting - accounted
        accounted = waiting
    }

    private func updatePoll() {
        var wanted: PollHandle.Events = []
        let backlog = server.limits.headBytes + server.limits.bodyBytes * 2 + 8192
        let mayRead = state == .lingering || state == .streaming || input.count < backlog && output.count < 65536
        if !peerFinished, mayRead { wanted.insert(.readable) }
        if !output.isEmpty { wanted.insert(.writable) }
        poll?.want(wanted)
    }

    func close() {
        guard state != .closed else { return }
        state = .closed
        poll?.close()
        poll = nil
        server.forget(self)
        Socket.close(descriptor)
        input = []
        output.forget()
        account()
        responder?.clientClosed()
        stream?.clientClosed()
    }
}
