public import Loop

/// A gRPC server on one address.
@LoopActor
public final class GRPCServer {
    private let host: String
    private let port: Int
    private let tls: TLSServerConfiguration?
    private let settings: GRPCSettings
    private var handlers: [String: @LoopActor (ServerCall) -> Void] = [:]
    private var listener: TCPListener?
    private var connections: [ObjectIdentifier: HTTP2Connection] = [:]

    /// Port zero lets the system choose; without `tls` it serves in the clear.
    public init(host: String, port: Int, tls: TLSServerConfiguration?, settings: GRPCSettings = GRPCSettings()) {
        self.host = host
        self.port = port
        self.tls = tls
        self.settings = settings
    }

    /// Calls of `path` (`/package.Service/Method`) go to `handler`, which sets the call's closures before it returns.
    /// Paths without a handler are UNIMPLEMENTED.
    public func handle(_ path: String, _ handler: @escaping @LoopActor (ServerCall) -> Void) {
        handlers[path] = handler
    }

    /// For methods of one request: the handler runs when the client has sent it and closed its side.
    public func handleUnary(_ path: String, _ handler: @escaping @LoopActor ([UInt8], ServerCall) -> Void) {
        let timeout = settings.requestTimeoutMilliseconds
        handle(path) { call in
            var request: [UInt8]?
            let deadline = Self.deadlines.schedule(afterMilliseconds: timeout) { [weak call] in
                call?.finish(GRPCStatus(.deadlineExceeded, "the request did not come"))
            }
            call.onMessage = { [unowned call] message in
                guard request == nil else {
                    Self.deadlines.cancel(deadline)
                    return call.finish(GRPCStatus(.invalidArgument, "more than one message came"))
                }
                request = message
            }
            // Who begins calls without end leaves no timers behind.
            call.onCancel = { Self.deadlines.cancel(deadline) }
            call.onHalfClose = { [unowned call] in
                call.onCancel = nil
                Self.deadlines.cancel(deadline)
                if let request { handler(request, call) } else { call.finish(GRPCStatus(.internalError, "no message came")) }
            }
        }
    }

    /// Of requests that have not come.
    static let deadlines = TimerWheel()

    /// Listens; returns the port in use. Servers that share a port are given its connections by turns.
    @discardableResult
    public func start(sharingPort isShared: Bool = false) throws(TCPListener.Failure) -> Int {
        let listener = try TCPListener(host: host, port: port, isShared: isShared) { stream in self.accepted(stream) }
        self.listener = listener
        return listener.port
    }

    /// Stops listening and tells the clients to go; calls that are open may finish.
    public func stop() {
        listener?.close()
        listener = nil
        for connection in connections.values { connection.session.sayGoodbye() }
    }

    /// Cuts every connection where it stands, as a crash would. The server goes on listening.
    public func closeConnections() {
        for connection in Array(connections.values) { connection.cut(.closedHere) }
    }

    public var connectionCount: Int { connections.count }
    public var callCount: Int { connections.values.reduce(0) { $0 + $1.session.streamCount } }

    private func accepted(_ stream: TCPStream) {
        guard connections.count < settings.maximumConnections else { return stream.close() }
        let connection =
            if let tls {
                HTTP2Connection(TLSStream(accepting: stream, configuration: tls), isServer: true, settings: settings)
            } else {
                HTTP2Connection(stream, isServer: true, settings: settings)
            }
        let key = ObjectIdentifier(connection)
        connections[key] = connection
        let keepalive = Keepalive(
            settings, ping: { [weak connection] in connection?.session.ping() },
            onTimeout: { [weak connection] in connection?.cut(.keepaliveTimedOut) })
        let idling = Idling(settings) { [weak connection] in connection?.session.sayGoodbye() }
        connection.session.onStreamCount = { count in
            keepalive.streamCountChanged(to: count)
            idling.streamCountChanged(to: count)
        }
        connection.session.onPingAnswered = { keepalive.pingAnswered() }
        connection.onClose = { [weak self] _ in
            self?.connections[key] = nil
            keepalive.stop()
            idling.stop()
        }
        connection.session.onRequest = { [weak self, weak connection] id, fields in
            guard let self, let connection else { return nil }
            return self.route(fields, id, connection.session)
        }
    }

    private func route(_ fields: [HeaderField], _ id: Int32, _ session: HTTP2Session) -> ServerCall {
        let call = ServerCall(session, id, fields, settings.maximumMessageBytes)
        let isGRPC = fields.contains { $0.name == "content-type" && $0.value.hasPrefix("application/grpc") }
        let isPost = fields.contains { $0.name == ":method" && $0.value == "POST" }
        if callCount >= settings.maximumCalls {
            call.finish(GRPCStatus(.resourceExhausted, "as many calls as may be are open"))
        } else if !isPost {
            call.finish(httpStatus: 405, GRPCStatus(.internalError, "the method must be POST"))
        } else if !isGRPC {
            call.finish(httpStatus: 415, GRPCStatus(.internalError, "the content type must be application/grpc"))
        } else if let handler = handlers[call.path] {
            handler(call)
        } else {
            call.finish(GRPCStatus(.unimplemented, "unknown method \(call.path)"))
        }
        return call
    }
}
