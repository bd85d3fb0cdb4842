/// A stream of type-length-value records (BOLT 1): types strictly ascending, types and lengths in their shortest form.
public struct TLVStream: Equatable, Sendable {
    public enum Failure: Error, Equatable, Sendable {
        case truncated(offset: Int)
        case notMinimal(offset: Int)
        case notAscending(type: UInt64, offset: Int)
        /// A type that has to be understood (BOLT 1: it is ok to be odd) and is not.
        case unknownEven(type: UInt64, offset: Int)
    }

    public struct Record: Equatable, Sendable {
        public var type: UInt64
        public var value: [UInt8]
        public init(type: UInt64, value: [UInt8]) {
            self.type = type
            self.value = value
        }
    }

    public var records: [Record]

    /// The records in the order in which they will be written; sorted here, so any order may be given.
    public init(_ records: [Record]) {
        self.records = records.sorted { $0.type < $1.type }
    }

    /// Refuses even types of which `isKnown` says no.
    public init(decoding bytes: borrowing Span<UInt8>, isKnown: (UInt64) -> Bool) throws(Failure) {
        records = []
        var cursor = TLVCursor()
        while let field = try cursor.next(in: bytes) {
            if field.type & 1 == 0, !isKnown(field.type) { throw .unknownEven(type: field.type, offset: field.offset) }
            let value = bytes.extracting(field.value)
            records.append(Record(type: field.type, value: value.indices.map { value[$0] }))
        }
    }

    public subscript(_ type: UInt64) -> [UInt8]? { records.first { $0.type == type }?.value }

    public func encode() -> [UInt8] {
        var bytes = [UInt8]()
        for record in records { Self.append(record.type, record.value, to: &bytes) }
        return bytes
    }

    static func append(_ type: UInt64, _ value: [UInt8], to bytes: inout [UInt8]) {
        BigSize.append(type, to: &bytes)
        BigSize.append(UInt64(value.count), to: &bytes)
        bytes.append(contentsOf: value)
    }
}
