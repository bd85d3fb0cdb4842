/// Path and query of a request line.
enum RequestTarget {
    /// `nil` for what is not an absolute path, and for what hides a path in another: dot segments, empty segments,
    /// backslashes, control characters, encoded or not (an encoded slash too). Percent signs are decoded once.
    static func path(_ bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> String? {
        guard start < end, bytes[start] == 0x2F else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(end - start)
        var index = start
        while index < end {
            guard let byte = decode(bytes, &index, end, plusIsSpace: false) else { return nil }
            if byte.value == 0x2F, byte.wasEncoded { return nil }
            guard byte.value >= 0x20, byte.value != 0x7F, byte.value != 0x5C else { return nil }
            decoded.append(byte.value)
        }
        for segment in decoded.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false).dropLast() where segment.isEmpty { return nil }
        for segment in decoded.split(separator: 0x2F) where segment.elementsEqual([0x2E]) || segment.elementsEqual([0x2E, 0x2E]) { return nil }
        return String(validating: decoded, as: UTF8.self)
    }

    /// `nil` for a malformed escape, for text that is not UTF-8 and for more than 64 items.
    static func query(_ bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> HTTPRequest.Query? {
        var query = HTTPRequest.Query()
        var name: [UInt8]?
        var text: [UInt8] = []
        func finish() -> Bool {
            if name == nil, text.isEmpty { return true }
            guard query.items.count < 64, let first = String(validating: name ?? text, as: UTF8.self),
                let second = name == nil ? "" : String(validating: text, as: UTF8.self)
            else { return false }
            query.items.append(.init(name: first, value: second))
            name = nil
            text = []
            return true
        }
        var index = start
        while index < end {
            if bytes[index] == 0x26 {
                guard finish() else { return nil }
                index += 1
            } else if bytes[index] == 0x3D, name == nil {
                name = text
                text = []
                index += 1
            } else {
                guard let byte = decode(bytes, &index, end, plusIsSpace: true) else { return nil }
                text.append(byte.value)
            }
        }
        return finish() ? query : nil
    }

    private static func decode(
        _ bytes: borrowing Span<UInt8>, _ index: inout Int, _ end: Int, plusIsSpace: Bool
    ) -> (value: UInt8, wasEncoded: Bool)? {
        let byte = bytes[index]
        index += 1
        if byte == 0x2B, plusIsSpace { return (0x20, false) }
        guard byte == 0x25 else { return (byte, false) }
        guard index + 1 < end, let high = digit(bytes[index]), let low = digit(bytes[index + 1]) else { return nil }
        index += 2
        return (high << 4 | low, true)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
