public import Payments

/// Times as text, in UTC: `2026-11-21T09:30:00.123Z` (RFC 3339).
public enum RFC3339 {
    public static func text(_ time: UnixTime) -> String {
        var bytes: [UInt8] = []
        append(time, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Milliseconds are written only where there are some.
    public static func append(_ time: UnixTime, to bytes: inout [UInt8]) {
        let milliseconds = max(0, time.milliseconds)
        let (year, month, day) = date(daysSince1970: milliseconds / 86_400_000)
        let rest = milliseconds % 86_400_000
        bytes.append(addingCapacity: 24) { output in
            digits(year, 4, &output)
            output.append(0x2D)
            digits(month, 2, &output)
            output.append(0x2D)
            digits(day, 2, &output)
            output.append(0x54)
            digits(rest / 3_600_000, 2, &output)
            output.append(0x3A)
            digits(rest / 60_000 % 60, 2, &output)
            output.append(0x3A)
            digits(rest / 1000 % 60, 2, &output)
            if rest % 1000 != 0 {
                output.append(0x2E)
                digits(rest % 1000, 3, &output)
            }
            output.append(0x5A)
        }
    }

    /// The proleptic Gregorian calendar, by counting from 0000-03-01 so that leap days end their years.
    private static func date(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// Dividing by constants costs a tenth of dividing by a variable.
    @inline(__always)
    private static func digits(_ value: Int64, _ count: Int, _ bytes: inout OutputSpan<UInt8>) {
        if count > 3 { bytes.append(48 + UInt8(truncatingIfNeeded: value / 1000 % 10)) }
        if count > 2 { bytes.append(48 + UInt8(truncatingIfNeeded: value / 100 % 10)) }
        bytes.append(48 + UInt8(truncatingIfNeeded: value / 10 % 10))
        bytes.append(48 + UInt8(truncatingIfNeeded: value % 10))
    }
}
