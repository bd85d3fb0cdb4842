/// Messages on their way out, framed, waiting for the peer's window.
struct OutgoingMessages {
    private var bytes: [UInt8] = []
    private var taken = 0

    var count: Int { bytes.count - taken }

    mutating func append(_ message: [UInt8]) {
        let length = UInt32(truncatingIfNeeded: message.count)
        // Not compressed, then the length.
        bytes.append(0)
        for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
        bytes.append(contentsOf: message)
    }

    /// Moves as much as fits; returns how much that was.
    mutating func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(self.count, buffer.count)
        unsafe bytes.withUnsafeBytes { unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[taken..<(taken + count)])) }
        taken += count
        if taken == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= 64 * 1024)
            taken = 0
        } else if taken > 1 << 20 {
            bytes.removeFirst(taken)
            taken = 0
        }
        return count
    }
}
