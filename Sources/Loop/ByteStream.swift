/// A connection that carries bytes in both directions, in the clear or through TLS.
///
/// Guarantees: an open stream keeps itself alive; `onOpen` runs at most once; `onClose` runs exactly once, whoever
/// closes, and nothing runs after it. All that was written in one turn of the loop leaves in one write.
@LoopActor
public protocol ByteStream: AnyObject {
    /// Runs when bytes can flow: after connecting and, with TLS, after the handshake.
    var onOpen: (@LoopActor () -> Void)? { get set }
    /// Runs with bytes as they come; they are lent for the call only.
    var onBytes: (@LoopActor (Span<UInt8>) -> Void)? { get set }
    /// Runs when ``bufferedBytes`` has gone back to zero after the socket had been full.
    var onDrain: (@LoopActor () -> Void)? { get set }
    var onClose: (@LoopActor (CloseReason) -> Void)? { get set }

    /// Bytes written here that the socket has not taken yet.
    var bufferedBytes: Int { get }

    /// Takes a copy. May be called before the stream is open; ignored after it was closed.
    func write(_ bytes: Span<UInt8>)
    /// Hands what is buffered to the socket now instead of at the end of the turn.
    func flush()
    /// Closes at once; what is still buffered is dropped. Safe to call twice.
    func close()
    /// Closes when everything written so far has been handed to the peer.
    func closeAfterWriting()
}

extension ByteStream {
    public func write(_ bytes: [UInt8]) { write(bytes.span) }
}
