public import Loop

/// The right to answer one request, once, now or later.
///
/// A second answer and an answer to a client that went away do nothing. A responder that is dropped without an answer
/// answers 500, so no client waits for ever.
@LoopActor
public final class HTTPResponder {
    private weak var connection: HTTPConnection?
    private let request: UInt64
    /// Runs once if the client goes away before it was answered.
    ///
    /// Who sets it lets the client wait, and a client that waits has gone when it ends its side: that looks the same.
    public var onClose: (@LoopActor () -> Void)? {
        didSet { if onClose != nil { connection?.lettingWait(request) } }
    }

    init(connection: HTTPConnection, request: UInt64) {
        self.connection = connection
        self.request = request
    }

    isolated deinit { connection?.abandoned(request) }

    /// Whether the client still waits.
    public var isOpen: Bool { connection?.isAwaiting(request) ?? false }

    public func respond(_ response: HTTPResponse) {
        onClose = nil
        connection?.respond(response, to: request)
    }

    /// Answers with a stream of server-sent events that stays open. A stream to a client that is gone is closed already.
    public func stream(_ headers: [HTTPResponse.Header] = []) -> EventStream {
        onClose = nil
        return connection?.stream(headers, to: request) ?? EventStream(connection: nil)
    }

    func clientClosed() {
        let body = onClose
        onClose = nil
        body?()
    }
}
