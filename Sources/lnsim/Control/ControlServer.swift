import Loop

/// The control address: HTTP/1.1 with JSON, one request at a time on each connection.
@LoopActor
final class ControlServer {
    typealias Answer = @LoopActor (_ status: Int, _ body: [UInt8]) -> Void

    private var listener: TCPListener?
    private let handler: @LoopActor (HTTPRequest, @escaping Answer) -> Void

    /// The handler answers each request once, now or later.
    init(_ handler: @escaping @LoopActor (HTTPRequest, @escaping Answer) -> Void) { self.handler = handler }

    /// Returns the port in use.
    @discardableResult
    func start(host: String, port: Int) throws(TCPListener.Failure) -> Int {
        let listener = try TCPListener(host: host, port: port) { [handler] stream in
            ControlConnection(stream, handler).begin()
        }
        self.listener = listener
        return listener.port
    }

    func stop() {
        listener?.close()
        listener = nil
    }
}

/// One client of the control address; its stream keeps it alive.
@LoopActor
private final class ControlConnection {
    private let stream: TCPStream
    private let handler: @LoopActor (HTTPRequest, @escaping ControlServer.Answer) -> Void
    private var reader = HTTPRequestReader()
    private var isBusy = false

    init(_ stream: TCPStream, _ handler: @escaping @LoopActor (HTTPRequest, @escaping ControlServer.Answer) -> Void) {
        (self.stream, self.handler) = (stream, handler)
    }

    func begin() {
        stream.onBytes = { bytes in
            self.reader.append(bytes)
            if self.reader.isOverfull { return self.stream.close() }
            self.serve()
        }
    }

    private func serve() {
        do throws(HTTPRequestReader.Failure) {
            while !isBusy, let request = try reader.next() {
                isBusy = true
                handler(request) { status, body in self.answer(request, status, body) }
            }
            if reader.takeContinue() { stream.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        } catch {
            let status =
                switch error {
                case .malformed: 400
                case .headTooLong: 431
                case .bodyTooLong: 413
                case .chunked: 411
                }
            send(status, Array(#"{"error":"bad_request","detail":"\#(error)"}"#.utf8), keepsAlive: false)
        }
    }

    private func answer(_ request: HTTPRequest, _ status: Int, _ body: [UInt8]) {
        guard isBusy else { return }
        isBusy = false
        send(status, body, keepsAlive: request.keepsAlive)
        // The next request may have come already, but a handler that answers at once is still on the stack.
        if request.keepsAlive { LoopActor.atEndOfTurn { self.serve() } }
    }

    private func send(_ status: Int, _ body: [UInt8], keepsAlive: Bool) {
        let head = """
            HTTP/1.1 \(status) \(status < 400 ? "OK" : "Error")\r
            Content-Type: application/json\r
            Content-Length: \(body.count)\r
            Connection: \(keepsAlive ? "keep-alive" : "close")\r
            \r

            """
        stream.write(Array(head.utf8) + body)
        if !keepsAlive { stream.closeAfterWriting() }
    }
}
