/// Whole WebSocket frames as a server sends them (RFC 6455 section 5.2): final, unmasked, not compressed.
public enum Frame {
    public enum Opcode: UInt8, Sendable {
        case text = 0x1
        case close = 0x8
        case ping = 0x9
    }

    /// How many bytes the header of such a payload takes: 2, 4 or 10.
    @inlinable
    public static func headerBytes(payload count: Int) -> Int { count < 126 ? 2 : count < 65536 ? 4 : 10 }

    /// A text frame in the memory of `bytes`, around what `write` adds, which is UTF-8. Headers of four bytes, the usual
    /// ones, are written in place; for the others the payload moves.
    public static func text(into bytes: inout [UInt8], _ write: (inout [UInt8]) -> Void) {
        bytes.removeAll(keepingCapacity: true)
        for _ in 0..<4 { bytes.append(0) }
        write(&bytes)
        let (header, count) = header(.text, payload: bytes.count - 4)
        if count == 4 {
            for place in 0..<4 { bytes[place] = header[place] }
        } else {
            bytes.replaceSubrange(0..<4, with: (0..<count).map { header[$0] })
        }
    }

    /// A text frame around `payload`, which is UTF-8.
    public static func text(_ payload: some Collection<UInt8>) -> [UInt8] { encode(.text, payload) }

    /// A close frame. The reason is cut to what a control frame can carry, between two characters.
    public static func close(_ code: UInt16, _ reason: String) -> [UInt8] {
        var payload = [UInt8(code >> 8), UInt8(code & 0xFF)]
        for character in reason.unicodeScalars {
            let bytes = Array(String(character).utf8)
            guard payload.count + bytes.count <= 125 else { break }
            payload += bytes
        }
        return encode(.close, payload)
    }

    private static func encode(_ opcode: Opcode, _ payload: some Collection<UInt8>) -> [UInt8] {
        let (header, count) = header(opcode, payload: payload.count)
        var frame: [UInt8] = []
        frame.reserveCapacity(count + payload.count)
        for place in 0..<count { frame.append(header[place]) }
        frame.append(contentsOf: payload)
        return frame
    }

    /// The header in the first `count` of ten bytes.
    private static func header(_ opcode: Opcode, payload: Int) -> (bytes: InlineArray<10, UInt8>, count: Int) {
        var bytes = InlineArray<10, UInt8>(repeating: 0)
        bytes[0] = 0x80 | opcode.rawValue
        let count = headerBytes(payload: payload)
        switch count {
        case 2: bytes[1] = UInt8(payload)
        case 4:
            bytes[1] = 126
            bytes[2] = UInt8(payload >> 8)
            bytes[3] = UInt8(payload & 0xFF)
        default:
            bytes[1] = 127
            for place in 0..<8 { bytes[9 - place] = UInt8(truncatingIfNeeded: payload >> (8 * place)) }
        }
        return (bytes, count)
    }
}
