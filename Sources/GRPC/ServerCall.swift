internal import CNghttp2
public import Loop

/// One call that a server answers. The connection keeps it alive until it has ended.
@LoopActor
@safe
public final class ServerCall {
    /// `/package.Service/Method`.
    public let path: String
    public let metadata: Metadata
    public var onMessage: (@LoopActor ([UInt8]) -> Void)?
    /// The client sends no more messages.
    public var onHalfClose: (@LoopActor () -> Void)?
    /// Goes out with the response headers, also where the status comes without a message before it.
    public var responseMetadata = Metadata()
    /// All that was sent has gone to the client's window or the socket.
    public var onDrain: (@LoopActor () -> Void)?
    /// The call ended before ``finish(_:trailers:)``: the client cancelled it or its connection is gone.
    public var onCancel: (@LoopActor () -> Void)?

    private weak var session: HTTP2Session?
    private let id: Int32
    private var reader: MessageReader
    private var outgoing = OutgoingMessages()
    private var hasHeaders = false
    private var trailers: [HeaderField]?
    private var isOver = false

    init(_ session: HTTP2Session, _ id: Int32, _ fields: [HeaderField], _ maximumMessageBytes: Int) {
        self.session = session
        self.id = id
        path = fields.first { $0.name == ":path" }?.value ?? ""
        metadata = Metadata(fields)
        reader = MessageReader(maximumBytes: maximumMessageBytes)
    }

    /// Whether the call was finished or cancelled.
    public var hasEnded: Bool { isOver || trailers != nil }

    /// Bytes that wait for the client's window or the socket.
    public var bufferedBytes: Int { outgoing.count }

    /// Sends response headers now instead of with the first message.
    public func sendHeaders(_ metadata: Metadata = Metadata()) {
        guard !hasEnded, !hasHeaders else { return }
        hasHeaders = true
        session?.respond(id, Self.responseFields + responseMetadata.fields + metadata.fields, isEnd: false)
    }

    /// Ignored after the end.
    public func send(_ message: [UInt8]) {
        guard !hasEnded else { return }
        sendHeaders()
        outgoing.append(message)
        session?.resume(id)
    }

    /// Ends the call; without a message before it the status goes out alone (trailers-only). Ignored after the end.
    public func finish(_ status: GRPCStatus, trailers: Metadata = Metadata()) {
        finish(httpStatus: 200, status, trailers)
    }

    /// Ends the call at once with RESOURCE_EXHAUSTED: what a client does not read is not kept for it.
    public func overrun() {
        guard !hasEnded else { return }
        releaseClosures()
        isOver = true
        outgoing = OutgoingMessages()
        session?.reset(id, code: NGHTTP2_ENHANCE_YOUR_CALM.rawValue)
    }

    func finish(httpStatus: Int, _ status: GRPCStatus, _ metadata: Metadata = Metadata()) {
        guard !hasEnded else { return }
        let fields = status.fields + metadata.fields
        trailers = fields
        releaseClosures()
        if hasHeaders {
            session?.resume(id)
        } else {
            let head = [HeaderField(":status", String(httpStatus)), HeaderField("content-type", "application/grpc")]
            session?.respond(id, head + responseMetadata.fields + fields, isEnd: true)
        }
    }

    private static let responseFields = [HeaderField(":status", "200"), HeaderField("content-type", "application/grpc")]

    private func releaseClosures() {
        onMessage = nil
        onHalfClose = nil
        onDrain = nil
        onCancel = nil
    }

    private func ended() {
        guard !isOver else { return }
        isOver = true
        let onCancel = onCancel
        releaseClosures()
        if trailers == nil { onCancel?() }
    }
}

extension ServerCall: HTTP2Stream {
    /// Trailers of a client mean nothing in gRPC.
    func received(_ fields: [HeaderField], isEnd: Bool) {}

    func received(_ data: Span<UInt8>) {
        var position = 0
        do throws(MessageReader.Failure) {
            while !hasEnded, let message = try reader.next(in: data, from: &position) { onMessage?(message) }
        } catch {
            let onCancel = onCancel
            switch error {
            case .compressed: finish(GRPCStatus(.unimplemented, "compression was not offered"))
            case .tooLong(let count): finish(GRPCStatus(.resourceExhausted, "a message of \(count) bytes is too long"))
            }
            onCancel?()
        }
    }

    func inputEnded() {
        guard !hasEnded else { return }
        onHalfClose?()
    }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> StreamFilling {
        guard !isOver else { return .bytes(0) }
        let count = unsafe outgoing.take(into: buffer)
        if count > 0, outgoing.count == 0, onDrain != nil { LoopActor.atEndOfTurn { self.onDrain?() } }
        if let trailers, outgoing.count == 0 { return .last(count, trailers: trailers) }
        return .bytes(count)
    }

    func closed(errorCode: UInt32) { ended() }
    func connectionLost(_ reason: ClosedReason) { ended() }
}
