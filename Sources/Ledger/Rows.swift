internal import CPQ
internal import Payments

/// What the server answered to one step, in libpq's binary format. Freed with the value.
///
/// The server is trusted to keep its own format; a short field reads as zero or empty instead of trapping.
@safe
final class Rows {
    enum Outcome {
        case good
        /// The transaction has ended, well or badly.
        case synchronized
        /// An earlier step of the same transaction failed.
        case aborted
        case failed(StatementFailure)
    }

    private let result: OpaquePointer
    let outcome: Outcome

    init(taking result: OpaquePointer) {
        unsafe self.result = result
        switch unsafe PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK: outcome = .good
        case PGRES_PIPELINE_SYNC: outcome = .synchronized
        case PGRES_PIPELINE_ABORTED: outcome = .aborted
        default:
            // The primary message only: the detail may quote values, and values may be secret.
            let state = unsafe PQresultErrorField(result, Field.sqlState).map { unsafe String(cString: $0) } ?? ""
            let message = unsafe PQresultErrorField(result, Field.primaryMessage).map { unsafe String(cString: $0) }
                ?? firstLine(of: unsafe String(cString: PQresultErrorMessage(result)))
            outcome = .failed(StatementFailure(sqlState: state, message: message))
        }
    }

    deinit { unsafe PQclear(result) }

    var count: Int { unsafe Int(PQntuples(result)) }
    var affected: Int { unsafe Int(String(cString: PQcmdTuples(result))) ?? 0 }

    func isNull(_ row: Int, _ column: Int) -> Bool { unsafe PQgetisnull(result, Int32(row), Int32(column)) == 1 }

    func bytes(_ row: Int, _ column: Int) -> [UInt8] {
        let count = unsafe Int(PQgetlength(result, Int32(row), Int32(column)))
        guard count > 0, let start = unsafe PQgetvalue(result, Int32(row), Int32(column)) else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Any of the integer types, by its length.
    func integer(_ row: Int, _ column: Int) -> Int64 { BigEndian.integer(bytes(row, column)[...]) }
    func flag(_ row: Int, _ column: Int) -> Bool { bytes(row, column).first == 1 }
    func text(_ row: Int, _ column: Int) -> String { String(decoding: bytes(row, column), as: UTF8.self) }
    func time(_ row: Int, _ column: Int) -> UnixTime { Timestamp.time(integer(row, column)) }

    func optional<Value>(_ row: Int, _ column: Int, _ read: (Int, Int) -> Value) -> Value? {
        isNull(row, column) ? nil : read(row, column)
    }

    /// A one-dimensional array of integers without nulls.
    func integers(_ row: Int, _ column: Int) -> [Int64] {
        elements(row, column).map { BigEndian.integer($0) }
    }

    func texts(_ row: Int, _ column: Int) -> [String] {
        elements(row, column).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A one-dimensional array without nulls, as bytes.
    func slices(_ row: Int, _ column: Int) -> [ArraySlice<UInt8>] { elements(row, column) }

    private func elements(_ row: Int, _ column: Int) -> [ArraySlice<UInt8>] {
        let bytes = bytes(row, column)
        guard bytes.count >= 20 else { return [] }
        var slices: [ArraySlice<UInt8>] = []
        var position = 20
        while position + 4 <= bytes.count {
            let length = Int(BigEndian.integer(bytes[position..<position + 4]))
            position += 4
            guard length >= 0, position + length <= bytes.count else { return slices }
            slices.append(bytes[position..<position + length])
            position += length
        }
        return slices
    }

    /// libpq's names of error fields (`PG_DIAG_…`), whose macros are not imported.
    private enum Field {
        static let sqlState = Int32(UInt8(ascii: "C"))
        static let primaryMessage = Int32(UInt8(ascii: "M"))
    }
}

/// Network byte order, in which Postgres sends binary values.
enum BigEndian {
    /// Sign-extends from the slice's own width.
    static func integer(_ bytes: ArraySlice<UInt8>) -> Int64 {
        guard let first = bytes.first else { return 0 }
        return bytes.reduce(first >= 128 ? -1 : 0) { $0 << 8 | Int64($1) }
    }
}

/// `timestamptz`: microseconds since 2000-01-01 UTC.
enum Timestamp {
    private static let epochMilliseconds: Int64 = 946_684_800_000
    /// The years 0 to 9999, so that every time can be written as text.
    private static let range: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    static func microseconds(_ time: UnixTime) -> Int64 {
        (min(max(time.milliseconds, range.lowerBound), range.upperBound) - epochMilliseconds) * 1000
    }

    /// A time as it comes back from the store.
    static func stored(_ time: UnixTime) -> UnixTime { Self.time(microseconds(time)) }

    static func time(_ microseconds: Int64) -> UnixTime {
        // Rounded down, before 2000 too.
        UnixTime(milliseconds: (microseconds >> 3) / 125 + epochMilliseconds)
    }
}
