/// What is said to a client's close frame (RFC 6455 sections 5.5.1 and 7.4): its own code, or what is wrong with it.
enum CloseAnswer {
    static func code(to payload: [UInt8]) -> UInt16 {
        guard !payload.isEmpty else { return 1000 }
        guard payload.count >= 2 else { return 1002 }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: return TextCheck(Array(payload.dropFirst(2))) == .whole ? code : 1007
        default: return 1002
        }
    }
}
