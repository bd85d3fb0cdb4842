/// Cuts the bytes of a stream into messages: one byte of flags, four of length, the message. A message may span the
/// pieces that come in, and a piece may hold many.
struct MessageReader {
    enum Failure: Error, Equatable {
        /// The flag says that the message is compressed, which was not offered.
        case compressed
        case tooLong(Int)
    }

    private let maximumBytes: Int
    private var prefix: [UInt8] = []
    private var body: [UInt8] = []
    private var missing = 0

    init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    /// Whether the bytes so far end within a message.
    var isInsideMessage: Bool { !prefix.isEmpty }

    /// The next message that ends in `data`; `position` moves behind what was taken. Nil if more data is needed.
    mutating func next(in data: Span<UInt8>, from position: inout Int) throws(Failure) -> [UInt8]? {
        while prefix.count < 5 {
            guard position < data.count else { return nil }
            prefix.append(data[position])
            position += 1
            if prefix.count == 5 { try begin() }
        }
        let count = min(missing, data.count - position)
        if body.isEmpty && count == missing {
            body = copy(data, position, count)
        } else if count > 0 {
            // The length is the peer's claim: memory is taken as the bytes come.
            unsafe data.withUnsafeBufferPointer { unsafe body.append(contentsOf: $0[position..<(position + count)]) }
        }
        position += count
        missing -= count
        guard missing == 0 else { return nil }
        let message = body
        body = []
        prefix.removeAll(keepingCapacity: true)
        return message
    }

    private mutating func begin() throws(Failure) {
        guard prefix[0] == 0 else { throw .compressed }
        missing = prefix[1...].reduce(0) { $0 << 8 | Int($1) }
        if missing > maximumBytes { throw .tooLong(missing) }
    }

    private func copy(_ data: Span<UInt8>, _ start: Int, _ count: Int) -> [UInt8] {
        unsafe data.withUnsafeBufferPointer { unsafe [UInt8]($0[start..<(start + count)]) }
    }
}
