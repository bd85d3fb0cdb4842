internal import Loop

/// One call, seen from the HTTP/2 session that carries it.
@LoopActor
protocol HTTP2Stream: AnyObject {
    /// A whole header block: headers first, trailers with the end.
    func received(_ fields: [HeaderField], isEnd: Bool)
    func received(_ data: Span<UInt8>)
    /// The peer has said that it sends no more, with or without trailers.
    func inputEnded()
    /// Asks for bytes to send.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> StreamFilling
    /// The stream is over; nothing follows. An HTTP/2 error code, zero for none.
    func closed(errorCode: UInt32)
    /// The connection is over; nothing follows.
    func connectionLost(_ reason: ClosedReason)
}

/// What a stream puts into a DATA frame.
enum StreamFilling {
    /// Zero: nothing now; ``HTTP2Session/resume(_:)`` will tell.
    case bytes(Int)
    /// The last ones, maybe none, followed by trailers if there are any.
    case last(Int, trailers: [HeaderField])
}
