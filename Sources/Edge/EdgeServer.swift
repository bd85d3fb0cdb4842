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
    private(set) var connections: [Int32: HTTPConnection] = [:]
    private(set) var hub: WebSocketHub?
    /// No connection is kept for another request.
    var isDraining = false
    /// How many connections stream.
    var eventStreams = 0
    /// Bytes that wait in this process for single clients.
    var waitingBytes = 0
    private var arrivals: RateLimit<UInt64>
    private var refused: [EdgeCounters.Limit: Int] = [:]
    /// What was published last, for those whose history was read a moment ago. Few, so that they stay in the cache.
    private(set) var recent = RecentEvents(limit: 512)

    /// Without `channels` no WebSocket is served.
    public init(configuration: EdgeConfiguration, application: any EdgeApplication, channels: (any ChannelSource)? = nil, logger: Logger) {
        self.channels = channels
        self.configuration = configuration
        self.application = application
        self.logger = logger
        // A page with its files, or a shop that comes back, opens many at once.
        arrivals = RateLimit(perSecond: configuration.limits.connectionsPerSecond, burst: 10 * configuration.limits.connectionsPerSecond)
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

    func stopListening() {
        // Those who are connected already would otherwise be reset.
        acceptor?.acceptSome()
        acceptor?.close()
        acceptor = nil
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

    private func accepted(_ descriptor: Int32, peer: SocketAddress) {
        let host = peer.host
        guard connections.count + webSocketClients < limits.connections else { return refuse(descriptor, .connections) }
        guard configuration.unlimitedAddresses.contains(host) || arrivals.admits(peer.network, second: seconds) else {
            return refuse(descriptor, .connectionRate)
        }
        let connection = HTTPConnection(descriptor: descriptor, peer: host, server: self)
        connections[descriptor] = connection
        connection.start()
    }

    private func refuse(_ descriptor: Int32, _ limit: EdgeCounters.Limit) {
        refused[limit, default: 0] += 1
        Socket.close(descriptor)
    }

    func countRefusedOrigin() { refused[.origin, default: 0] += 1 }

    private func tick() {
        seconds = Int(Clock.monotonicNanoseconds / 1_000_000_000)
        date = HTTPDate.text(secondsSince1970: Clock.wallMilliseconds / 1000)
        if seconds % 10 == 0 { arrivals.forgetQuiet(second: seconds) }
        for connection in Array(connections.values) { connection.tick(seconds) }
        hub?.tick(seconds)
    }

    func forget(_ connection: HTTPConnection) { connections[connection.descriptor] = nil }

    // MARK: Pages and handshakes

    func page(for request: HTTPRequest) -> HTTPResponse? {
        guard let pages, request.method == .get || request.method == .head, let page = pages.page(request.path) else { return nil }
        return page.response(ifNoneMatch: request.headers.ifNoneMatch)
    }

    func forgives(_ path: String) -> Bool { configuration.forgivingPaths.contains { path.hasPrefix($0) } }

    func isWebSocketPath(_ path: String) -> Bool { configuration.servesWebSocket && channels != nil && path == "/connection/websocket" }

    /// Programs send no origin; a browser always does, and a foreign page's is refused. What the request calls its host
    /// proves nothing: a foreign page can bring its own name to lead here.
    func allowsOrigin(_ origin: String?) -> Bool {
        guard let origin else { return true }
        return configuration.allowedOrigins.contains(origin) || configuration.allowedOrigins.contains("*")
    }

    func adopt(_ descriptor: Int32, key: String, offersCentrifuge: Bool, rest: [UInt8], consumed: Int) {
        guard let hub else { return Socket.close(descriptor) }
        hub.adopt(descriptor, key: key, offersCentrifuge: offersCentrifuge, rest: rest, consumed: consumed)
    }

    /// Everything up to this offset belongs to the past; what is published begins after it.
    public func begin(after offset: Int64) { recent.begin(after: offset) }

    /// Tells everybody who listens. Events come in the order of their offsets; one that was told before is not told again.
    public func publish(_ events: [PublishedEvent]) {
        // Lent and not copied: an event holds several references, and counting each is not free.
        let events = events.span
        for start in stride(from: 0, to: events.count, by: WebSocketHub.foresight) {
            let next = events.extracting(start..<min(start + WebSocketHub.foresight, events.count))
            hub?.expect(next)
            for index in next.indices where next[index].offset > recent.newest ?? 0 {
                hub?.publish(next[index])
                recent.append(next[index])
            }
        }
    }

    /// How many WebSocket clients are connected.
    public var webSocketClients: Int { hub?.clients.count ?? 0 }

    public var status: EdgeStatus {
        var status = EdgeStatus()
        status.httpConnections = connections.count
        status.eventStreams = eventStreams
        status.webSocketClients = webSocketClients
        status.subscriptions = hub?.subscriptions ?? [:]
        status.queuedBytes = queuedBytes
        status.counters = counters
        return status
    }

    /// What has been counted since the start.
    public var counters: EdgeCounters {
        var counters = hub?.counters ?? EdgeCounters()
        counters.refused.merge(refused) { $0 + $1 }
        return counters
    }

    /// Bytes that wait for clients that do not read, of topics and of single clients.
    public var queuedBytes: Int { waitingBytes + (hub?.topicBytes ?? 0) }

    /// Whether no more may wait for single clients: memory would otherwise grow with their number.
    var isFull: Bool { waitingBytes > limits.totalOutboxBytes }

    /// Every subscriber is a descriptor. libwebsockets sizes its tables by this limit when its context is made.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 1 << 20)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
