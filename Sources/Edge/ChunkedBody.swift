/// A body in `Transfer-Encoding: chunked` (RFC 9112 section 7.1). Trailer fields are dropped.
enum ChunkedBody {
    enum Outcome: Equatable {
        case incomplete
        /// The body and one past its last byte.
        case body([UInt8], end: Int)
        case refused(Int)
    }

    static func read(_ bytes: borrowing Span<UInt8>, from start: Int, limit: Int) -> Outcome {
        var body: [UInt8] = []
        var position = start
        // Ten thousand one-byte chunks are no reason to hold much more than the limit.
        let mostBytes = limit * 2 + 4096
        while true {
            guard position - start <= mostBytes else { return .refused(413) }
            var size = 0
            var digits = 0
            while position < bytes.count, let digit = hexadecimal(bytes[position]) {
                size = size << 4 | digit
                digits += 1
                guard digits <= 8 else { return .refused(400) }
                position += 1
            }
            guard position < bytes.count else { return bytes.count - start > mostBytes ? .refused(413) : .incomplete }
            guard digits > 0 else { return .refused(400) }
            guard size <= limit - body.count else { return .refused(413) }
            switch skipLine(bytes, &position, onlyExtension: true) {
            case nil: return .incomplete
            case false?: return .refused(400)
            case true?: break
            }
            if size == 0 { break }
            guard bytes.count - position >= size + 2 else { return .incomplete }
            for index in position..<(position + size) { body.append(bytes[index]) }
            position += size
            guard bytes[position] == 13, bytes[position + 1] == 10 else { return .refused(400) }
            position += 2
        }
        while true {
            let line = position
            guard line - start <= mostBytes + 4096 else { return .refused(431) }
            switch skipLine(bytes, &position, onlyExtension: false) {
            case nil: return bytes.count - line > 4096 ? .refused(431) : .incomplete
            case false?: return .refused(400)
            case true?: break
            }
            if position == line + 2 { return .body(body, end: position) }
        }
    }

    /// Moves past CR LF. `nil` if the line is not there yet, false if it is malformed.
    private static func skipLine(_ bytes: borrowing Span<UInt8>, _ position: inout Int, onlyExtension: Bool) -> Bool? {
        let start = position
        if onlyExtension, bytes[start] != 13, bytes[start] != 0x3B { return false }
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == 10 { return false }
            if byte == 13 {
                guard position < bytes.count else { return nil }
                position += 1
                return bytes[position - 1] == 10
            }
            guard position - start <= 4096 else { return false }
        }
        return nil
    }

    private static func hexadecimal(_ byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte - 0x30)
        case 0x41...0x46: Int(byte - 0x37)
        case 0x61...0x66: Int(byte - 0x57)
        default: nil
        }
    }
}
