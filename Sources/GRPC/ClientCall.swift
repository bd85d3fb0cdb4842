internal import CNghttp2
public import Loop

/// One call of a client. It keeps itself alive until it has ended.
@LoopActor
@safe
public final class ClientCall {
    /// Runs with the response headers, before the first message, if the server sends any.
    public var onHeaders: (@LoopActor (Metadata) -> Void)?

    private weak var session: HTTP2Session?
    private var id: Int32 = 0
    private var onMessage: (@LoopActor ([UInt8]) -> Void)?
    private var onEnd: (@LoopActor (GRPCStatus, Metadata) -> Void)?
    private var reader: MessageReader
    private var outgoing = OutgoingMessages()
    private var isHalfClosed = false
    private var hasHeaders = false
    private var deadline: TimerWheel.Token?

    init(
        _ session: HTTP2Session?, _ maximumMessageBytes: Int, onMessage: @escaping @LoopActor ([UInt8]) -> Void,
        onEnd: @escaping @LoopActor (GRPCStatus, Metadata) -> Void
    ) {
        self.session = session
        self.onMessage = onMessage
        self.onEnd = onEnd
        reader = MessageReader(maximumBytes: maximumMessageBytes)
    }

    /// Whether the call is over and its end told.
    public var hasEnded: Bool { onEnd == nil }

    /// Bytes that wait for the server's window or the socket.
    public var bufferedBytes: Int { outgoing.count }

    /// Ignored after ``halfClose()`` and after the end.
    public func send(_ message: [UInt8]) {
        guard !hasEnded, !isHalfClosed else { return }
        outgoing.append(message)
        session?.resume(id)
    }

    /// No more messages of this side follow.
    public func halfClose() {
        guard !hasEnded, !isHalfClosed else { return }
        isHalfClosed = true
        session?.resume(id)
    }

    /// Ends the call with CANCELLED, which `onEnd` is told at the end of the turn. No more messages are delivered.
    public func cancel() { end(locally: GRPCStatus(.cancelled, "cancelled here")) }

    func start(_ fields: [HeaderField], _ deadlineMilliseconds: Int?) {
        guard let session, let id = session.request(fields, self) else {
            return refuse(GRPCStatus(.unavailable, "not connected"))
        }
        self.id = id
        guard let deadlineMilliseconds else { return }
        deadline = GRPCClient.deadlines.schedule(afterMilliseconds: UInt64(max(0, deadlineMilliseconds))) { [weak self] in
            self?.end(locally: GRPCStatus(.deadlineExceeded, "no answer within \(deadlineMilliseconds) ms"))
        }
    }

    /// For calls that cannot start.
    func refuse(_ status: GRPCStatus) {
        onMessage = nil
        LoopActor.atEndOfTurn { self.finish(status) }
    }

    private func end(locally status: GRPCStatus) {
        guard !hasEnded, onMessage != nil else { return }
        session?.reset(id, code: NGHTTP2_CANCEL.rawValue)
        refuse(status)
    }

    private func finish(_ status: GRPCStatus, _ trailers: Metadata = Metadata()) {
        guard let onEnd else { return }
        self.onEnd = nil
        onMessage = nil
        onHeaders = nil
        outgoing = OutgoingMessages()
        if let deadline { GRPCClient.deadlines.cancel(deadline) }
        onEnd(status, trailers)
    }
}

extension ClientCall: HTTP2Stream {
    func received(_ fields: [HeaderField], isEnd: Bool) {
        guard onMessage != nil else { return }
        if !hasHeaders {
            let httpStatus = fields.first { $0.name == ":status" }.flatMap { Int($0.value) } ?? 0
            // Informational responses come before the one that counts.
            if (100..<200).contains(httpStatus) { return }
            hasHeaders = true
            let isGRPC = fields.contains { $0.name == "content-type" && $0.value.hasPrefix("application/grpc") }
            if httpStatus != 200 || !isGRPC {
                let status = GRPCStatus(trailers: fields) ?? GRPCStatus(httpStatus: httpStatus)
                session?.reset(id, code: NGHTTP2_CANCEL.rawValue)
                return finish(status, Metadata(fields))
            }
            if !isEnd { onHeaders?(Metadata(fields)) }
        }
        guard isEnd else { return }
        var status = GRPCStatus(trailers: fields) ?? GRPCStatus(.internalError, "the server sent no status")
        if status.code == .ok && reader.isInsideMessage { status = GRPCStatus(.internalError, "the last message is cut off") }
        finish(status, Metadata(fields))
        session?.abandonIfOpen(id)
    }

    func received(_ data: Span<UInt8>) {
        var position = 0
        do throws(MessageReader.Failure) {
            while let onMessage, let message = try reader.next(in: data, from: &position) { onMessage(message) }
        } catch {
            let status =
                switch error {
                case .compressed: GRPCStatus(.internalError, "the message is compressed")
                case .tooLong(let count): GRPCStatus(.resourceExhausted, "a message of \(count) bytes is too long")
                }
            end(locally: status)
        }
    }

    func inputEnded() {
        guard onMessage != nil else { return }
        finish(GRPCStatus(.internalError, "the server sent no status"))
        session?.abandonIfOpen(id)
    }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> StreamFilling {
        let count = unsafe outgoing.take(into: buffer)
        return isHalfClosed && outgoing.count == 0 ? .last(count, trailers: []) : .bytes(count)
    }

    func closed(errorCode: UInt32) {
        guard onMessage != nil else { return }
        finish(errorCode == 0 ? GRPCStatus(.internalError, "the server sent no status") : GRPCStatus(resetCode: errorCode))
    }

    func connectionLost(_ reason: ClosedReason) {
        guard onMessage != nil else { return }
        finish(GRPCStatus(connectionLost: reason))
    }
}
