/// Reads one JSON document (RFC 8259), strictly: valid UTF-8, no name twice in an object, nothing after the document,
/// at most thirty-two levels deep.
public struct JSONReader {
    public enum Failure: Error, Equatable, Sendable {
        /// Something else than what must stand at this byte.
        case unexpected(at: Int)
        case endOfInput
        case tooDeep
        case notUTF8
        /// A name stands twice in one object: two readers could take different ones.
        case duplicate(String)
    }

    private let bytes: [UInt8]
    private var position = 0

    private static let maximumDepth = 32

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    public static func read(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        var reader = JSONReader(bytes)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.position == bytes.count else { throw .unexpected(at: reader.position) }
        return value
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        guard depth < Self.maximumDepth else { throw .tooDeep }
        skipSpace()
        switch try peek() {
        case 0x7B: return try object(depth: depth)
        case 0x5B: return try array(depth: depth)
        case 0x22: return .string(try string())
        case 0x74: return try word("true", .bool(true))
        case 0x66: return try word("false", .bool(false))
        case 0x6E: return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONValue {
        position += 1
        var members: [(String, JSONValue)] = []
        var names: Set<String> = []
        skipSpace()
        if try peek() == 0x7D {
            position += 1
            return .object([])
        }
        while true {
            skipSpace()
            guard try peek() == 0x22 else { throw .unexpected(at: position) }
            let name = try string()
            guard names.insert(name).inserted else { throw .duplicate(name) }
            skipSpace()
            guard try next() == 0x3A else { throw .unexpected(at: position - 1) }
            members.append((name, try value(depth: depth + 1)))
            skipSpace()
            switch try next() {
            case 0x2C: continue
            case 0x7D: return .object(members)
            default: throw .unexpected(at: position - 1)
            }
        }
    }

    private mutating func array(depth: Int) throws(Failure) -> JSONValue {
        position += 1
        var items: [JSONValue] = []
        skipSpace()
        if try peek() == 0x5D {
            position += 1
            return .array([])
        }
        while true {
            items.append(try value(depth: depth + 1))
            skipSpace()
            switch try next() {
            case 0x2C: continue
            case 0x5D: return .array(items)
            default: throw .unexpected(at: position - 1)
            }
        }
    }

    private mutating func string() throws(Failure) -> String {
        position += 1
        var text: [UInt8] = []
        while true {
            let byte = try next()
            switch byte {
            case 0x22:
                guard let text = String(validating: text, as: UTF8.self) else { throw .notUTF8 }
                return text
            case 0x5C: try escape(into: &text)
            case 0..<0x20: throw .unexpected(at: position - 1)
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        switch try next() {
        case 0x22: text.append(0x22)
        case 0x5C: text.append(0x5C)
        case 0x2F: text.append(0x2F)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0C)
        case 0x6E: text.append(0x0A)
        case 0x72: text.append(0x0D)
        case 0x74: text.append(0x09)
        case 0x75:
            var code = UInt32(try fourDigits())
            if (0xD800..<0xDC00).contains(code) {
                guard try next() == 0x5C, try next() == 0x75 else { throw .unexpected(at: position - 1) }
                let low = UInt32(try fourDigits())
                guard (0xDC00..<0xE000).contains(low) else { throw .unexpected(at: position - 1) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw .unexpected(at: position - 1) }
            text += Array(String(Character(scalar)).utf8)
        default: throw .unexpected(at: position - 1)
        }
    }

    private mutating func fourDigits() throws(Failure) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            let digit = try next()
            switch digit {
            case 48...57: value = value << 4 | UInt16(digit - 48)
            case 65...70: value = value << 4 | UInt16(digit - 55)
            case 97...102: value = value << 4 | UInt16(digit - 87)
            default: throw .unexpected(at: position - 1)
            }
        }
        return value
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = position
        let isNegative = try peek() == 0x2D
        if isNegative { position += 1 }
        let first = try peek()
        guard isDigit(first) else { throw .unexpected(at: position) }
        skipDigits()
        if first == 48, position - start > (isNegative ? 2 : 1) { throw .unexpected(at: start) }
        var isWhole = true
        if position < bytes.count, bytes[position] == 0x2E {
            isWhole = false
            position += 1
            guard isDigit(try peek()) else { throw .unexpected(at: position) }
            skipDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == 0x65 {
            isWhole = false
            position += 1
            let sign = try peek()
            if sign == 0x2B || sign == 0x2D { position += 1 }
            guard isDigit(try peek()) else { throw .unexpected(at: position) }
            skipDigits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, !isNegative, let value = UInt64(text) { return .unsigned(value) }
        if isWhole, isNegative, let value = Int64(text) { return value == 0 ? .unsigned(0) : .negative(value) }
        // What is too large for a number of any reader is none.
        guard let value = Double(text), value.isFinite else { throw .unexpected(at: start) }
        return .double(value)
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            // The pointer of a static string lives as long as the program.
            let expected = unsafe word.utf8Start[index]
            guard try next() == expected else { throw .unexpected(at: position - 1) }
        }
        return value
    }

    private func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private mutating func skipDigits() {
        while position < bytes.count, isDigit(bytes[position]) { position += 1 }
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private func peek() throws(Failure) -> UInt8 {
        guard position < bytes.count else { throw .endOfInput }
        return bytes[position]
    }

    private mutating func next() throws(Failure) -> UInt8 {
        let byte = try peek()
        position += 1
        return byte
    }
}
