/// Walks the records of a TLV stream in place, without copying their values.
struct TLVCursor {
    struct Field {
        var type: UInt64
        /// Where the record begins.
        var offset: Int
        var value: Range<Int>
    }

    private var position = 0
    private var last: UInt64?

    /// The next record; `nil` at the end.
    mutating func next(in bytes: borrowing Span<UInt8>) throws(TLVStream.Failure) -> Field? {
        guard position < bytes.count else { return nil }
        let offset = position
        let type: UInt64
        let length: UInt64
        do {
            type = try BigSize.decode(bytes, at: &position)
            length = try BigSize.decode(bytes, at: &position)
        } catch {
            switch error {
            case .truncated: throw .truncated(offset: offset)
            case .notMinimal: throw .notMinimal(offset: offset)
            }
        }
        if let last, type <= last { throw .notAscending(type: type, offset: offset) }
        guard length <= UInt64(bytes.count - position) else { throw .truncated(offset: offset) }
        last = type
        let start = position
        position += Int(length)
        return Field(type: type, offset: offset, value: start..<position)
    }
}
