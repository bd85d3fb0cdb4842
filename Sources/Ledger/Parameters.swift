internal import Payments

/// A statement's values in Postgres' binary format, one after the other in one buffer.
struct Parameters {
    private var bytes: [UInt8] = []
    /// `nil` is NULL.
    private var ranges: [Range<Int>?] = []

    init() {}

    mutating func append(_ value: Int64?) { append(value.map { value in { $0.appendBigEndian(value) } }) }
    mutating func append(_ value: Bool?) { append(value.map { value in { $0.append(value ? 1 : 0) } }) }
    mutating func append(_ value: String?) { append(value.map { value in { $0.append(contentsOf: value.utf8) } }) }
    mutating func append(_ value: UnixTime?) { append(value.map { Timestamp.microseconds($0) }) }
    mutating func append(_ value: [UInt8]) { append { $0.append(contentsOf: value) } }
    mutating func append(_ value: Bytes32?) {
        append(value.map { value in { $0.append(value) } })
    }
    mutating func append(_ value: PublicKey?) { append(value.map { value in { $0.append(contentsOf: value.array) } }) }
    mutating func append(_ column: Column?) { append(column.map { column in { column.write(to: &$0) } }) }

    private mutating func append(_ write: ((inout [UInt8]) -> Void)?) {
        guard let write else { return ranges.append(nil) }
        let start = bytes.count
        write(&bytes)
        ranges.append(start..<bytes.count)
    }

    /// Lends libpq its three arrays: where each value begins, how long it is, and that it is binary.
    func withPointers<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Result
    ) -> Result {
        let lengths = ranges.map { Int32($0?.count ?? 0) }
        let formats = [Int32](repeating: 1, count: ranges.count)
        return unsafe bytes.withUnsafeBytes { buffer in
            // An empty buffer has no address, but an empty value must not look like NULL.
            var nothing: CChar = 0
            return unsafe withUnsafePointer(to: &nothing) { nothing in
                let base = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self) ?? nothing
                let values = unsafe ranges.map { range in unsafe range.map { unsafe base + $0.lowerBound } }
                return unsafe body(values, lengths, formats)
            }
        }
    }
}

/// An array parameter under construction.
struct Column {
    private let type: UInt32
    private var bytes: [UInt8] = []
    private(set) var count = 0
    private var hasNull = false

    init(_ type: UInt32) { self.type = type }

    var arrayType: UInt32 { TypeID.array(of: type) }

    mutating func append(_ value: Int64) {
        count += 1
        switch type {
        case TypeID.smallint:
            bytes.appendBigEndian(Int32(2))
            bytes.appendBigEndian(Int16(truncatingIfNeeded: value))
        case TypeID.integer:
            bytes.appendBigEndian(Int32(4))
            bytes.appendBigEndian(Int32(truncatingIfNeeded: value))
        default:
            bytes.appendBigEndian(Int32(8))
            bytes.appendBigEndian(value)
        }
    }

    mutating func append(_ value: UnixTime?) { value.map { append(Timestamp.microseconds($0)) } ?? appendNull() }
    mutating func append(_ value: Millisatoshis?) { value.map { append(Int64(bitPattern: $0.value)) } ?? appendNull() }

    mutating func append(_ value: Bool?) {
        guard let value else { return appendNull() }
        count += 1
        bytes.appendBigEndian(Int32(1))
        bytes.append(value ? 1 : 0)
    }

    mutating func append(_ value: Bytes32?) {
        guard let value else { return appendNull() }
        count += 1
        bytes.appendBigEndian(Int32(32))
        bytes.append(value)
    }

    mutating func append(_ value: [UInt8]) {
        count += 1
        bytes.appendBigEndian(Int32(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func append(_ value: PublicKey) {
        count += 1
        bytes.appendBigEndian(Int32(33))
        for index in 0..<33 { bytes.append(value.storage[index]) }
    }

    mutating func append(_ value: String?) {
        guard let value else { return appendNull() }
        count += 1
        bytes.appendBigEndian(Int32(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    mutating func appendNull() {
        count += 1
        hasNull = true
        bytes.appendBigEndian(Int32(-1))
    }

    /// Header: dimensions, whether there are nulls, element type, length, first index.
    fileprivate func write(to buffer: inout [UInt8]) {
        buffer.appendBigEndian(Int32(count == 0 ? 0 : 1))
        buffer.appendBigEndian(Int32(hasNull ? 1 : 0))
        buffer.appendBigEndian(type)
        guard count > 0 else { return }
        buffer.appendBigEndian(Int32(truncatingIfNeeded: count))
        buffer.appendBigEndian(Int32(1))
        buffer.append(contentsOf: bytes)
    }
}

extension [UInt8] {
    mutating func appendBigEndian<Integer: FixedWidthInteger>(_ value: Integer) {
        for shift in stride(from: Integer.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> Integer(shift)))
        }
    }

    fileprivate mutating func append(_ value: Bytes32) {
        for index in 0..<32 { append(value.storage[index]) }
    }
}
