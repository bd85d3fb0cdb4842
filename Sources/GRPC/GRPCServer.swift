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
        handle(path) { call in
            var request: [UInt8]?
            call.onMessage = { request = $0 }
            call.onHalfClose = { [unowned call] in
                if let request { handler(request, call) } else { call.finish(GRPCStatus(.internalError, "no message came")) }
            }
        }
    }

    /// Listens; returns the port in use.
    @discardableResult
    public func start() throws(TCPListener.Failure) -> Int {
        let listener = try TCPListener(host: host, port: port) { stream in self.accepted(stream) }
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

    private func accepted(_ stream: TCPStream) {
        let connection =
            if let tls {
                HTTP2Connection(TLSStream(accepting: stream, configuration: tls), isServer: true)
            } else {
                HTTP2Connection(stream, isServer: true)
            }
        let key = ObjectIdentifier(connection)
        connections[key] = connection
        connection.onClose = { [weak self] _ in self?.connections[key] = nil }
        connection.session.onRequest = { [weak self, weak connection] id, fields in
            guard let self, let connection else { return nil }
            return self.route(fields, id, connection.session)
        }
    }

    private func route(_ fields: [HeaderField], _ id: Int32, _ session: HTTP2Session) -> ServerCall {
        let call = ServerCall(session, id, fields, settings.maximumMessageBytes)
        let isGRPC = fields.contains { $0.name == "content-type" && $0.value.hasPrefix("application/grpc") }
        let isPost = fields.contains { $0.name == ":method" && $0.value == "POST" }
        if !isPost {
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
