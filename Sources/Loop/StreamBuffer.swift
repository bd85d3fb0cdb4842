/// The buffers that all streams of the loop share. One thread reads, and what is read is lent for a call only, so one of
/// each is enough.
@LoopActor
enum StreamBuffer {
    /// As it came from the socket.
    static let network = unsafe make()
    /// What TLS made of it.
    static let plain = unsafe make()
    /// On its way out of TLS; its own, because a stream may write while it reads.
    static let cipher = unsafe make()

    private static func make() -> UnsafeMutableBufferPointer<UInt8> {
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 128 * 1024)
        unsafe buffer.initialize(repeating: 0)
        return unsafe buffer
    }
}
