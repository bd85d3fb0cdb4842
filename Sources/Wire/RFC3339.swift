public import Payments

/// Times as text, in UTC: `2026-11-21T09:30:00.123Z` (RFC 3339).
public enum RFC3339 {
    public static func text(_ time: UnixTime) -> String {
        var bytes: [UInt8] = []
        append(time, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `nil` for what is no time of the years 1970 to 9999. Digits beyond milliseconds are dropped.
    public static func time(_ text: String) -> UnixTime? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] | 0x20 == 0x74, bytes[13] == 0x3A, bytes[16] == 0x3A else { return nil }
        func number(_ start: Int, _ count: Int, _ range: ClosedRange<Int64>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[start..<start + count] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return range.contains(value) ? value : nil
        }
        guard let year = number(0, 4, 1970...9999), let month = number(5, 2, 1...12), let day = number(8, 2, 1...31),
            let hour = number(11, 2, 0...23), let minute = number(14, 2, 0...59), let second = number(17, 2, 0...59)
        else { return nil }
        let days = daysSince1970(year: year, month: month, day: day)
        guard date(daysSince1970: days) == (year, month, day) else { return nil }
        var place = 19
        var milliseconds: Int64 = 0
        if bytes[place] == 0x2E {
            place += 1
            var scale: Int64 = 100
            let start = place
            while place < bytes.count, (48...57).contains(bytes[place]) {
                milliseconds += Int64(bytes[place] - 48) * scale
                scale /= 10
                place += 1
            }
            guard place > start, place < bytes.count else { return nil }
        }
        var offset: Int64 = 0
        switch bytes[place] {
        case 0x5A, 0x7A: guard bytes.count == place + 1 else { return nil }
        case 0x2B, 0x2D:
            guard bytes.count == place + 6, bytes[place + 3] == 0x3A, let hours = number(place + 1, 2, 0...23), let minutes = number(place + 4, 2, 0...59)
            else { return nil }
            offset = (hours * 60 + minutes) * (bytes[place] == 0x2B ? 60 : -60)
        default: return nil
        }
        return UnixTime(milliseconds: (days * 86_400 + hour * 3600 + minute * 60 + second - offset) * 1000 + milliseconds)
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

    /// The day's place in the calendar, whose months have as many days as they are said to have.
    public static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let yearOfEra = shifted % 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return shifted / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
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
