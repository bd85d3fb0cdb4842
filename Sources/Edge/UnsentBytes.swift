/// Bytes on their way into a socket.
struct UnsentBytes {
    private var bytes: [UInt8] = []
    /// How many of them went out; they are dropped when all have.
    private var sent = 0

    var isEmpty: Bool { bytes.isEmpty }
    var count: Int { bytes.count - sent }

    mutating func add(_ write: (inout [UInt8]) -> Void) { write(&bytes) }

    /// Writes what the socket takes. False if the connection is gone.
    mutating func send(to descriptor: Int32) -> Bool {
        guard sent < bytes.count else { return true }
        guard let count = unsafe bytes.withUnsafeBytes({ unsafe Socket.write(descriptor, UnsafeRawBufferPointer(rebasing: $0[sent...])) })
        else { return false }
        sent += count
        if sent == bytes.count {
            sent = 0
            if bytes.capacity > 16384 { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
        }
        return true
    }

    /// Gives the memory back too.
    mutating func forget() { self = UnsentBytes() }
}
