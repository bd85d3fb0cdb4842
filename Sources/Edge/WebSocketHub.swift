internal import CLWS
internal import Fanout
internal import Logging
internal import Loop
internal import Payments
internal import Wire

/// All WebSocket clients of one server: takes what libwebsockets tells, keeps who listens to what, writes what is
/// published.
@LoopActor
@safe
final class WebSocketHub {
    let server: EdgeServer
    private var context: LWSContext?
    private(set) var clients: [WebSocketClient] = []
    /// Those that were told to go, with the second at which they are made to.
    private var leaving: [(client: WebSocketClient, deadline: Int)] = []
    let listeners = InvoiceListeners()
    var topics: [TopicName: Topic] = [:]
    var dirty: [Topic] = []
    /// Memory of the frame that was made last.
    var spare: [UInt8] = []
    /// For how many of the events that were expected something waited: what was touched has to be used.
    var busy: Int32 = 0
    let turnEnd = OncePerTurn()
    var counters = EdgeCounters()
    /// The same for all sessions.
    let settings: SessionSettings
    let source: any ChannelSource
    /// Orders that are being carried out, and how many are.
    var work: [Work] = []
    var done = 0
    var isWorking = false
    /// Of the client that is being adopted.
    private var consumed = 0
    /// While the server drains: how many go in one step.
    var drainCount = 0
    /// Those who have not connected, and when they are looked at.
    var arriving: [WebSocketClient] = []
    var arrivals: Timer?
    /// Those whose history reaches beyond what was published here.
    var joining: [Joining] = []

    struct TopicName: Hashable {
        var channel: Channel
        var account: Int64
    }

    struct Work {
        var client: WebSocketClient
        var order: SessionOrder
        var seen: Int64?
    }

    struct Joining {
        var client: WebSocketClient
        var channel: Channel
        var account: Int64?
        var seen: Int64
    }

    init(server: EdgeServer, source: any ChannelSource) {
        self.server = server
        self.source = source
        let configuration = server.configuration
        settings = SessionSettings(
            version: "leyden", pingSeconds: Int64(configuration.pingInterval), pongSeconds: Int64(configuration.pongTimeout),
            commandsPerSecond: configuration.limits.commandsPerSecond)
    }

    func open() throws(EdgeError) {
        context = try LWSContext.open(logger: server.logger)
    }

    func close() {
        context = nil
        arrivals?.cancel()
        arrivals = nil
        arriving = []
        for client in clients {
            dismiss(client, code: 3001, reason: "shutdown")
            unsafe RawWrite.kill(client.wsi, flushes: true)
        }
    }

    /// Answers a handshake that was read over HTTP. libwebsockets sees this text, not the client's.
    /// `consumed` is how many bytes came before what the client says as a WebSocket client.
    func adopt(_ descriptor: Int32, key: String, offersCentrifuge: Bool, rest: [UInt8], consumed: Int) {
        guard let context, clients.count < server.limits.connections else { return Socket.close(descriptor) }
        let offer = offersCentrifuge ? "sec-websocket-protocol: centrifuge-json\r\n" : ""
        let head = "GET / HTTP/1.1\r\nhost: edge\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            + "sec-websocket-version: 13\r\nsec-websocket-key: \(key)\r\n\(offer)\r\n"
        self.consumed = consumed
        context.adopt(descriptor, Array(head.utf8) + rest, for: self)
    }

    // MARK: What libwebsockets tells

    /// Returns non-zero to close the connection.
    static func happened(_ wsi: OpaquePointer, _ reason: lws_callback_reasons, _ bytes: UnsafeRawBufferPointer) -> Int32 {
        if reason == LWS_CALLBACK_ESTABLISHED {
            guard let hub = LWSContext.adopting else { return -1 }
            unsafe hub.established(wsi)
            return 0
        }
        guard let client = unsafe Self.client(of: wsi) else { return -1 }
        switch reason {
        case LWS_CALLBACK_RECEIVE: return unsafe client.hub.received(client, bytes)
        case LWS_CALLBACK_SERVER_WRITEABLE:
            if !client.isClosing { client.hub.becameWritable(client) }
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
            // After a close of ours this is its echo.
            if !client.isClosing { unsafe client.hub.peerCloses(client, Array(bytes)) }
            // Now everything is said.
            return -1
        case LWS_CALLBACK_CLOSED: client.hub.closed(client)
        default: break
        }
        return 0
    }

    static func client(of wsi: OpaquePointer) -> WebSocketClient? {
        guard let raw = unsafe lws_get_opaque_user_data(wsi) else { return nil }
        return unsafe Unmanaged<WebSocketClient>.fromOpaque(raw).takeUnretainedValue()
    }

    private func established(_ wsi: OpaquePointer) {
        let client = unsafe WebSocketClient(wsi: wsi, hub: self, session: makeSession(), consumed: consumed)
        client.slot = Int32(clients.count)
        clients.append(client)
        counters.opened += 1
        watch(client)
        // Given back in `closed`, which libwebsockets calls once for every connection it has called established.
        unsafe lws_set_opaque_user_data(wsi, Unmanaged.passRetained(client).toOpaque())
    }

    private func closed(_ client: WebSocketClient) {
        unsafe lws_set_opaque_user_data(client.wsi, nil)
        leaveAll(client)
        client.isClosing = true
        server.waitingBytes -= client.dropOutbox()
        let last = clients.removeLast()
        if last !== client {
            clients[Int(client.slot)] = last
            last.slot = client.slot
        }
        leaving.removeAll { $0.client === client }
        counters.closed += 1
        sessionEnded(client)
        unsafe Unmanaged.passUnretained(client).release()
    }

    private func received(_ client: WebSocketClient, _ bytes: UnsafeRawBufferPointer) -> Int32 {
        guard !client.isClosing else { return 0 }
        let wsi = unsafe client.wsi
        guard unsafe lws_frame_is_binary(wsi) == 0 else {
            dismiss(client, code: 1003, reason: "text frames only")
            return 0
        }
        let remaining = unsafe lws_remaining_packet_payload(wsi)
        guard remaining <= server.limits.messageBytes - client.partial.count - bytes.count else {
            dismiss(client, code: 1009, reason: "message too big")
            return 0
        }
        client.received(bytes.count, remaining: Int(remaining))
        let isWhole = unsafe lws_is_final_fragment(wsi) != 0 && remaining == 0
        if isWhole, !client.masksItsFrames {
            dismiss(client, code: 1002, reason: "frames have to be masked")
            return 0
        }
        let piece = unsafe Array(bytes)
        let text = TextCheck(piece, after: client.partial)
        guard text == .whole || text == .cut && !isWhole else {
            dismiss(client, code: 1007, reason: "not UTF-8")
            return 0
        }
        if isWhole, client.partial.isEmpty {
            message(client, piece)
            return 0
        }
        client.partial.append(contentsOf: piece)
        guard isWhole else { return 0 }
        let whole = client.partial
        client.partial = []
        message(client, whole)
        return 0
    }

    private func peerCloses(_ client: WebSocketClient, _ payload: [UInt8]) {
        client.isClosing = true
        leaveAll(client)
        // If it does not go out, the connection is gone already.
        _ = client.write(Frame.close(CloseAnswer.code(to: payload), ""))
    }

    // MARK: Towards one client

    func send(_ client: WebSocketClient, _ frame: [UInt8]) {
        guard !client.isClosing else { return }
        let waits = client.isBlocked
        switch client.send(frame) {
        case .sent:
            counters.framesOut += 1
            if waits { kept(frame.count, for: client) }
        case .overflow: dismissSlow(client)
        case .broken: broke(client)
        }
    }

    func broke(_ client: WebSocketClient) {
        client.isClosing = true
        server.waitingBytes -= client.dropOutbox()
        leaveAll(client)
        unsafe RawWrite.kill(client.wsi)
    }

    private func kept(_ bytes: Int, for client: WebSocketClient) {
        server.waitingBytes += bytes
        guard server.isFull else { return }
        counters.refused[.queue, default: 0] += 1
        dismissSlow(client)
    }

    private func becameWritable(_ client: WebSocketClient) {
        let waiting = client.outbox.count
        let isWhole = client.becameWritable()
        server.waitingBytes += client.outbox.count - waiting
        if !isWhole { dismissSlow(client) }
    }

    func dismissSlow(_ client: WebSocketClient) { dismiss(client, code: 3008, reason: "slow") }

    /// Says goodbye with a close frame. One that does not answer it is cut off after five seconds.
    func dismiss(_ client: WebSocketClient, code: UInt16, reason: String) {
        guard !client.isClosing else { return }
        client.isClosing = true
        client.partial = []
        server.waitingBytes -= client.dropOutbox()
        leaveAll(client)
        counters.closes[code, default: 0] += 1
        leaving.append((client, server.seconds + 5))
        let frame = Frame.close(code, reason)
        if client.write(frame) == .broken { unsafe RawWrite.kill(client.wsi) }
    }

    /// Called about once a second.
    func tick(_ seconds: Int) {
        for (client, _) in leaving.filter({ $0.deadline <= seconds }) { unsafe RawWrite.kill(client.wsi) }
        leaving.removeAll { $0.deadline <= seconds }
        // A fifth of all clients: a storm of pings would be a fan-out of its own.
        var index = seconds % 5
        while index < clients.count {
            look(after: clients[index])
            index += 5
        }
    }

    // MARK: Who listens to what

    func join(_ client: WebSocketClient, _ name: TopicName) {
        let topic = topics[name] ?? Topic(name: name, limit: server.limits.outboxBytes)
        topics[name] = topic
        client.join(topic)
    }

    func leave(_ client: WebSocketClient, _ name: TopicName) {
        guard let topic = topics[name] else { return }
        leave(client, topic)
        if topic.subscribers == 0 { topics[name] = nil }
    }

    private func leave(_ client: WebSocketClient, _ topic: Topic) {
        guard let (moved, index) = unsafe client.leave(topic) else { return }
        unsafe Self.client(of: moved)?.entryMoved(in: topic, to: index)
    }

    func join(_ client: WebSocketClient, invoice hash: PaymentHash, account: Int64?) {
        listeners.add(client, account: account, to: hash)
    }

    func leave(_ client: WebSocketClient, invoice hash: PaymentHash) {
        listeners.remove(client, from: hash)
    }

    private func leaveAll(_ client: WebSocketClient) {
        for case .invoice(let hash) in client.session.channels { leave(client, invoice: hash) }
        guard !client.memberships.isEmpty else { return }
        for membership in client.memberships { leave(client, membership.topic) }
        if topics.contains(where: { $0.value.subscribers == 0 }) { topics = topics.filter { $0.value.subscribers > 0 } }
    }

    /// By kind of channel.
    var subscriptions: [String: Int] {
        var counts = ["invoice": listeners.count]
        for channel in Self.shared { counts[channel.name] = 0 }
        for topic in topics.values { counts[topic.name.channel.name, default: 0] += topic.subscribers }
        return counts
    }

    /// Bytes that channels keep for subscribers that lag.
    var topicBytes: Int { topics.values.reduce(0) { $0 + $1.log.end - $1.log.start } }
}
