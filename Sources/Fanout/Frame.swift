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
        let count = payload.count
        var frame: [UInt8] = []
        frame.reserveCapacity(count + 10)
        frame.append(0x80 | opcode.rawValue)
        switch headerBytes(payload: count) {
        case 2: frame.append(UInt8(count))
        case 4:
            frame.append(126)
            frame.append(UInt8(count >> 8))
            frame.append(UInt8(count & 0xFF))
        default:
            frame.append(127)
            for shift in stride(from: 56, through: 0, by: -8) { frame.append(UInt8(truncatingIfNeeded: count >> shift)) }
        }
        frame.append(contentsOf: payload)
        return frame
    }
}
