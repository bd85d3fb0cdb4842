public import Loop

/// One connection to a gRPC server, from connecting to its end; a new attempt is a new object.
///
/// Calls may be made as soon as ``connect()`` was called: they wait until the connection is ready.
@LoopActor
public final class GRPCClient {
    public enum State: Equatable, Sendable {
        case idle, connecting, ready
        case closed(ClosedReason)
    }

    public private(set) var state = State.idle
    /// Runs with every change of ``state``; with the last one before the open calls are told their ends.
    public var onState: (@LoopActor (State) -> Void)?

    private let host: String
    private let port: Int
    private let authority: String
    private let proxy: SOCKSProxy?
    private let tls: TLSClient?
    private let settings: GRPCSettings
    private var connection: HTTP2Connection?
    private var keepalive: Keepalive?
    private var takesCalls = true

    static let deadlines = TimerWheel()

    /// - Parameters:
    ///   - authority: the `:authority` of calls; host and port if nil.
    ///   - tls: the pinned certificate; nil for a connection in the clear.
    public init(
        host: String, port: Int, authority: String? = nil, proxy: SOCKSProxy? = nil, tls: TLSClient?, settings: GRPCSettings = GRPCSettings()
    ) {
        self.proxy = proxy
        self.host = host
        self.port = port
        self.authority = authority ?? (host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
        self.tls = tls
        self.settings = settings
    }

    /// Does nothing after the first time. ``onState`` runs with `.connecting` before this returns.
    public func connect() {
        guard state == .idle else { return }
        let timeout = settings.connectTimeoutMilliseconds
        let stream: any ByteStream =
            if let tls {
                TLSStream(host: host, port: port, through: proxy, client: tls, timeoutMilliseconds: timeout)
            } else {
                TCPStream(host: host, port: port, through: proxy, timeoutMilliseconds: timeout)
            }
        let connection = HTTP2Connection(stream, isServer: false, settings: settings)
        let keepalive = Keepalive(
            settings, ping: { [weak connection] in connection?.session.ping() },
            onTimeout: { [weak connection] in connection?.close(.keepaliveTimedOut) })
        connection.onOpen = { self.change(to: .ready) }
        connection.onClose = { self.ended($0) }
        connection.session.onStreamCount = { [weak keepalive] in keepalive?.streamCountChanged(to: $0) }
        connection.session.onPingAnswered = { [weak keepalive] in keepalive?.pingAnswered() }
        connection.session.onGoAway = { [weak self, weak connection] code, detail in
            self?.takesCalls = false
            connection?.explain(.goAway(code: code, detail: detail))
        }
        self.connection = connection
        self.keepalive = keepalive
        change(to: .connecting)
    }

    /// Ends the connection and with it every open call (UNAVAILABLE): both are told before this returns. Safe to call twice.
    public func close() {
        takesCalls = false
        if let connection { connection.close(.closedHere) } else { ended(.closedHere) }
    }

    /// Starts a call of any shape: send as many messages as the method takes, then ``ClientCall/halfClose()``.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - deadlineMilliseconds: sent as `grpc-timeout` and kept here too; nil for none, as long streams want.
    ///   - onMessage: runs with every message.
    ///   - onEnd: runs exactly once, after the last message, with status and trailers; never before this returns.
    @discardableResult
    public func call(
        _ path: String, metadata: Metadata = Metadata(), deadlineMilliseconds: Int? = nil,
        onMessage: @escaping @LoopActor ([UInt8]) -> Void,
        onEnd: @escaping @LoopActor (GRPCStatus, Metadata) -> Void
    ) -> ClientCall {
        let call = ClientCall(connection?.session, settings.maximumMessageBytes, onMessage: onMessage, onEnd: onEnd)
        var fields = [
            HeaderField(":method", "POST"), HeaderField(":scheme", tls == nil ? "http" : "https"),
            HeaderField(":path", path), HeaderField(":authority", authority), HeaderField("te", "trailers"),
            HeaderField("content-type", "application/grpc"), HeaderField("user-agent", settings.userAgent),
        ]
        if let deadlineMilliseconds {
            fields.append(HeaderField("grpc-timeout", Self.timeout(milliseconds: deadlineMilliseconds)))
        }
        fields += metadata.fields
        if takesCalls { call.start(fields, deadlineMilliseconds) } else { call.refuse(GRPCStatus(.unavailable, "not connected")) }
        return call
    }

    /// A call of one message each way. The completion runs exactly once, never before this returns.
    @discardableResult
    public func unary(
        _ path: String, metadata: Metadata = Metadata(), deadlineMilliseconds: Int? = nil, request: [UInt8],
        completion: @escaping @LoopActor (Result<[UInt8], GRPCStatus>) -> Void
    ) -> ClientCall {
        var response: [UInt8]?
        let call = call(path, metadata: metadata, deadlineMilliseconds: deadlineMilliseconds) { message in
            response = message
        } onEnd: { status, _ in
            if status.code != .ok {
                completion(.failure(status))
            } else if let response {
                completion(.success(response))
            } else {
                completion(.failure(GRPCStatus(.internalError, "no message came")))
            }
        }
        call.send(request)
        call.halfClose()
        return call
    }

    /// `grpc-timeout` has at most eight digits.
    private static func timeout(milliseconds: Int) -> String {
        milliseconds < 100_000_000 ? "\(max(1, milliseconds))m" : "\(min(milliseconds / 1000, 99_999_999))S"
    }

    private func change(to state: State) {
        self.state = state
        onState?(state)
    }

    private func ended(_ reason: ClosedReason) {
        if case .closed = state { return }
        takesCalls = false
        keepalive?.stop()
        keepalive = nil
        connection = nil
        change(to: .closed(reason))
        onState = nil
    }
}
