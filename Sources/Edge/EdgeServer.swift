internal import Fanout
internal import Glibc
public import Logging
public import Loop
public import Payments

/// One listener with all that is behind it: pages, REST, server-sent events and WebSocket.
@LoopActor
@safe
public final class EdgeServer {
    let application: any EdgeApplication
    private let channels: (any ChannelSource)?
    let configuration: EdgeConfiguration
    let logger: Logger
    var limits: EdgeConfiguration.Limits { configuration.limits }
    /// The `Date` of all answers of this second.
    private(set) var date = ""
    /// Seconds of a clock that never jumps.
    private(set) var seconds = 0
    /// What a socket is read into; nothing keeps it beyond the read.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)

    private var acceptor: Acceptor?
    private var ticker: Timer?
    private var pages: StaticPages?
    private var connections: [Int32: HTTPConnection] = [:]
    private var hub: WebSocketHub?
    /// What was published last, for clients that come back.
    private(set) var recent = RecentEvents(limit: 4096)

    /// Without `channels` no WebSocket is served.
    public init(configuration: EdgeConfiguration, application: any EdgeApplication, channels: (any ChannelSource)? = nil, logger: Logger) {
        self.channels = channels
        self.configuration = configuration
        self.application = application
        self.logger = logger
    }

    isolated deinit { unsafe scratch.deallocate() }

    /// Listens, and returns the port.
    @discardableResult
    public func start() throws(EdgeError) -> UInt16 {
        if let directory = configuration.publicDirectory {
            pages = try StaticPages(directory: directory, routes: configuration.pages)
        }
        Self.raiseDescriptorLimit()
        signal(SIGPIPE, SIG_IGN)
        tick()
        if configuration.servesWebSocket, let channels {
            let hub = WebSocketHub(server: self, source: channels)
            try hub.open()
            self.hub = hub
        }
        let acceptor = try Acceptor(address: configuration.address, port: configuration.port) { [weak self] descriptor, peer in
            self?.accepted(descriptor, peer: peer)
        }
        self.acceptor = acceptor
        ticker = Timer(afterMilliseconds: 1000, repeats: 1000) { [weak self] in self?.tick() }
        return acceptor.port
    }

    /// Stops listening and closes all clients. A server that is not stopped lives as long as the process.
    public func stop() {
        acceptor?.close()
        acceptor = nil
        ticker?.cancel()
        ticker = nil
        for connection in Array(connections.values) { connection.close() }
        hub?.close()
        hub = nil
    }

    /// How many HTTP connections are open.
    public var httpConnections: Int { connections.count }

    private func accepted(_ descriptor: Int32, peer: String) {
        guard connections.count < limits.connections else { return Socket.close(descriptor) }
        let connection = HTTPConnection(descriptor: descriptor, peer: peer, server: self)
        connections[descriptor] = connection
        connection.start()
    }

    private func tick() {
        seconds = Int(Clock.monotonicNanoseconds / 1_000_000_000)
        date = HTTPDate.text(secondsSince1970: Clock.wallMilliseconds / 1000)
        for connection in Array(connections.values) { connection.tick(seconds) }
        hub?.tick(seconds)
    }

    func forget(_ connection: HTTPConnection) { connections[connection.descriptor] = nil }

    // MARK: Pages and handshakes

    func page(for request: HTTPRequest) -> HTTPResponse? {
        guard let pages, request.method == .get || request.method == .head, let page = pages.page(request.path) else { return nil }
        return page.response(ifNoneMatch: request.headers.ifNoneMatch)
    }

    func isWebSocketPath(_ path: String) -> Bool { configuration.servesWebSocket && channels != nil && path == "/connection/websocket" }

    /// Programs send no origin; a browser always does, and a foreign page's is refused.
    func allowsOrigin(_ origin: String?, host: String?) -> Bool {
        guard let origin else { return true }
        if configuration.allowedOrigins.contains(origin) { return true }
        guard let host else { return false }
        return origin == "http://" + host || origin == "https://" + host
    }

    func adopt(_ descriptor: Int32, key: String, offersCentrifuge: Bool, rest: [UInt8]) {
        guard let hub else { return Socket.close(descriptor) }
        hub.adopt(descriptor, key: key, offersCentrifuge: offersCentrifuge, rest: rest)
    }

    /// Tells everybody who listens. Events come in the order of their offsets; one that was told before is not told again.
    public func publish(_ events: [PublishedEvent]) {
        for start in stride(from: 0, to: events.count, by: 16) {
            let next = events[start..<min(start + 16, events.count)]
            hub?.expect(next)
            for event in next where event.offset > recent.newest ?? 0 {
                hub?.publish(event)
                recent.append(event)
            }
        }
    }

    /// How many WebSocket clients are connected.
    public var webSocketClients: Int { hub?.clients.count ?? 0 }

    /// What has been counted since the start.
    public var counters: EdgeCounters { hub?.counters ?? EdgeCounters() }

    /// Bytes that wait for clients that do not read, of topics and of single clients.
    public var queuedBytes: Int { hub?.queuedBytes ?? 0 }

    /// Every subscriber is a descriptor. libwebsockets sizes its tables by this limit when its context is made.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 1 << 20)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
