public import Loop

/// An open answer of type `text/event-stream`.
@LoopActor
public final class EventStream {
    private weak var connection: HTTPConnection?
    /// Runs once when the client is gone or was too slow, not after ``close()``.
    public var onClose: (@LoopActor () -> Void)?

    init(connection: HTTPConnection?) { self.connection = connection }

    public var isOpen: Bool { connection != nil }

    /// Sends bytes that are already in the form `id: …\ndata: …\n\n`. False when the stream is closed, or was closed
    /// just now because the client does not read and more than the limit would wait for it.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool { connection?.sendEvent(bytes) ?? false }

    /// Ends the answer when all that was sent has gone out.
    public func close() {
        let connection = connection
        onClose = nil
        self.connection = nil
        connection?.endStream()
    }

    func clientClosed() {
        let body = onClose
        onClose = nil
        connection = nil
        body?()
    }
}
