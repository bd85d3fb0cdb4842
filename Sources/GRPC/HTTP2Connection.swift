internal import Loop

/// An HTTP/2 session on a stream. Output gathers over a turn of the loop and leaves in one write; while the socket is
/// full, no more is taken from the session, so that pings and resets still overtake messages.
@LoopActor
final class HTTP2Connection {
    let session: HTTP2Session
    var onOpen: (@LoopActor () -> Void)?
    /// Runs once, before the calls hear of it.
    var onClose: (@LoopActor (ClosedReason) -> Void)?

    private let stream: any ByteStream
    private var isPumpScheduled = false
    private var isClosed = false
    /// What the peer said before it closed explains more than the closing.
    private var reason: ClosedReason?

    private static let fullBytes = 1 << 20

    init(_ stream: any ByteStream, isServer: Bool, settings: GRPCSettings) {
        self.stream = stream
        session = HTTP2Session(isServer: isServer, settings: settings)
        session.onOutput = { [weak self] in self?.schedulePump() }
        stream.onOpen = { self.onOpen?() }
        stream.onBytes = { self.received($0) }
        stream.onDrain = { self.pump() }
        stream.onClose = { self.finish(ClosedReason($0)) }
        schedulePump()
    }

    /// Names the reason that will be told when the connection ends.
    func explain(_ reason: ClosedReason) { if self.reason == nil { self.reason = reason } }

    /// Ends at once, after a try to send what was said so far.
    func close(_ reason: ClosedReason) {
        pump()
        cut(reason)
    }

    /// Ends at once; what was not sent is lost.
    func cut(_ reason: ClosedReason) {
        guard !isClosed else { return }
        explain(reason)
        stream.close()
        finish(reason)
    }

    private func received(_ bytes: Span<UInt8>) {
        guard !session.receive(bytes) else { return }
        close(.protocolError)
    }

    private func schedulePump() {
        guard !isPumpScheduled else { return }
        isPumpScheduled = true
        LoopActor.atEndOfTurn {
            self.isPumpScheduled = false
            self.pump()
        }
    }

    private func pump() {
        guard !isClosed else { return }
        var isAll = false
        // The socket may take at once what filled the buffer; if it does not, `onDrain` comes back here.
        while !isAll && !isClosed && stream.bufferedBytes < Self.fullBytes {
            isAll = session.takeOutput(while: { stream.bufferedBytes < Self.fullBytes }) { stream.write($0) }
            stream.flush()
        }
        guard !isClosed, !session.isAlive else { return }
        explain(.protocolError)
        stream.closeAfterWriting()
    }

    private func finish(_ reason: ClosedReason) {
        guard !isClosed else { return }
        isClosed = true
        let reason = self.reason ?? reason
        let onClose = onClose
        self.onClose = nil
        onOpen = nil
        onClose?(reason)
        session.connectionLost(reason)
    }
}
