public import Payments

/// Appends JSON to bytes. What it writes is valid as long as fields are written in objects and values in arrays.
public struct JSONWriter: Sendable {
    public internal(set) var bytes: [UInt8] = []
    private var needsComma = false

    public init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// Goes on behind `bytes`, which are taken and have to be given back.
    init(taking bytes: inout [UInt8], room: Int) {
        swap(&self.bytes, &bytes)
        self.bytes.reserveCapacity(self.bytes.count + room)
    }

    public mutating func object(_ body: (inout JSONWriter) -> Void) { nest(0x7B, 0x7D, body) }
    public mutating func array(_ body: (inout JSONWriter) -> Void) { nest(0x5B, 0x5D, body) }

    public mutating func object(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        key(name)
        object(body)
    }

    public mutating func array(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        key(name)
        array(body)
    }

    private mutating func nest(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(open)
        needsComma = false
        body(&self)
        bytes.append(close)
        needsComma = true
    }

    // MARK: Fields

    public mutating func field(_ name: StaticString, _ value: String) {
        key(name)
        string(value)
    }

    /// `null` if there is none.
    public mutating func field(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    public mutating func field(_ name: StaticString, _ value: Int64) {
        key(name)
        integer(value)
    }

    /// `null` if there is none.
    public mutating func field(_ name: StaticString, _ value: Int64?) {
        key(name)
        if let value { integer(value) } else { null() }
    }

    public mutating func field(_ name: StaticString, _ value: UInt64) {
        key(name)
        unsigned(value)
    }

    public mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        flag(value)
    }

    public mutating func field(_ name: StaticString, _ value: Bytes32) {
        key(name)
        bytes.append(0x22)
        Hex.append(value.storage.span, to: &bytes)
        bytes.append(0x22)
        needsComma = true
    }

    public mutating func field(_ name: StaticString, _ value: UnixTime) {
        key(name)
        bytes.append(0x22)
        RFC3339.append(value, to: &bytes)
        bytes.append(0x22)
        needsComma = true
    }

    public mutating func field(_ name: StaticString, _ value: Channel) {
        guard case .invoice(let hash) = value else { return field(name, value.name) }
        key(name)
        bytes += "\"invoice:".utf8
        Hex.append(hash.bytes.storage.span, to: &bytes)
        bytes.append(0x22)
        needsComma = true
    }

    /// `value` has to be JSON already.
    public mutating func field(_ name: StaticString, raw value: some Sequence<UInt8>) {
        key(name)
        raw(value)
    }

    /// A field whose name is not known when the program is written.
    public mutating func field(named name: String, _ value: JSONValue) {
        string(name)
        bytes.append(0x3A)
        needsComma = false
        self.value(value)
    }

    // MARK: Values

    public mutating func string(_ text: String) {
        separate()
        bytes.append(0x22)
        // Almost no text has anything to escape; then it is one copy.
        let isPlain = unsafe text.utf8.withContiguousStorageIfAvailable { utf8 in
            guard unsafe Self.isPlain(utf8) else { return false }
            unsafe bytes.append(contentsOf: utf8)
            return true
        }
        if isPlain != true { escape(text) }
        bytes.append(0x22)
        needsComma = true
    }

    /// Looks at every byte: without a way out early the compiler takes many at a time.
    private static func isPlain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var hits: UInt8 = 0
        for unsafe byte in unsafe text { hits |= (byte < 0x20 ? 1 : 0) | (byte == 0x22 ? 1 : 0) | (byte == 0x5C ? 1 : 0) | (byte == 0x7F ? 1 : 0) }
        return hits == 0
    }

    private mutating func escape(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C:
                bytes.append(0x5C)
                bytes.append(byte)
            case 0x0A: bytes += [0x5C, 0x6E]
            case 0x0D: bytes += [0x5C, 0x72]
            case 0x09: bytes += [0x5C, 0x74]
            case 0..<0x20, 0x7F:
                bytes += [0x5C, 0x75, 0x30, 0x30]
                Hex.append(byte, to: &bytes)
            default: bytes.append(byte)
            }
        }
    }

    public mutating func integer(_ value: Int64) {
        separate()
        if value < 0 { bytes.append(0x2D) }
        digits(value.magnitude)
        needsComma = true
    }

    public mutating func unsigned(_ value: UInt64) {
        separate()
        digits(value)
        needsComma = true
    }

    public mutating func flag(_ value: Bool) { raw((value ? "true" : "false").utf8) }
    public mutating func null() { raw("null".utf8) }

    /// `value` has to be JSON already.
    public mutating func raw(_ value: some Sequence<UInt8>) {
        separate()
        bytes += value
        needsComma = true
    }

    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let flag): self.flag(flag)
        case .unsigned(let number): unsigned(number)
        case .negative(let number): integer(number)
        case .double(let number): raw("\(number)".utf8)
        case .string(let text): string(text)
        case .array(let items): array { json in for item in items { json.value(item) } }
        case .object(let members): object { json in for (name, member) in members { json.field(named: name, member) } }
        }
    }

    public static func bytes(_ value: JSONValue) -> [UInt8] {
        var json = JSONWriter()
        json.value(value)
        return json.bytes
    }

    private mutating func key(_ name: StaticString) {
        let count = name.utf8CodeUnitCount
        // At once: each append to an array asks first whether the array may be changed.
        bytes.append(addingCapacity: count + 4) { output in
            if needsComma { output.append(0x2C) }
            output.append(0x22)
            // The pointer of a static string lives as long as the program.
            for index in 0..<count { unsafe output.append(name.utf8Start[index]) }
            output.append(0x22)
            output.append(0x3A)
        }
        needsComma = false
    }

    private mutating func separate() {
        if needsComma { bytes.append(0x2C) }
    }

    private mutating func digits(_ value: UInt64) {
        var room = InlineArray<20, UInt8>(repeating: 48)
        var place = 20
        var rest = value
        repeat {
            place -= 1
            room[place] = 48 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        bytes.append(addingCapacity: 20 - place) { output in
            for index in place..<20 { output.append(room[index]) }
        }
    }
}
