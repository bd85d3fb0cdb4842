public import Payments

/// Times as text, in UTC: `2026-11-21T09:30:00.123Z` (RFC 3339).
public enum RFC3339 {
    public static func text(_ time: UnixTime) -> String {
        var bytes: [UInt8] = []
        append(time, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A date and time with `Z` or a difference from UTC; `nil` for anything else. Of a second three digits count.
    public static func time(_ text: String) -> UnixTime? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        func has(_ character: Character, at index: Int) -> Bool { index < bytes.count && bytes[index] == character.asciiValue }
        guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), has("-", at: 7), let day = number(8..<10),
            has("T", at: 10) || has("t", at: 10), let hour = number(11..<13), has(":", at: 13), let minute = number(14..<16), has(":", at: 16),
            let second = number(17..<19), hour < 24, minute < 60, second < 60, year >= 1970
        else { return nil }
        var place = 19
        var milliseconds: Int64 = 0
        if has(".", at: place) {
            let digits = bytes[(place + 1)...].prefix { (48...57).contains($0) }
            guard !digits.isEmpty else { return nil }
            for index in 0..<3 { milliseconds = milliseconds * 10 + (index < digits.count ? Int64(digits[digits.startIndex + index] - 48) : 0) }
            place += 1 + digits.count
        }
        var difference: Int64 = 0
        if has("+", at: place) || has("-", at: place) {
            guard let hours = number(place + 1..<place + 3), has(":", at: place + 3), let minutes = number(place + 4..<place + 6), hours < 24,
                minutes < 60
            else { return nil }
            difference = (hours * 60 + minutes) * (has("-", at: place) ? -60_000 : 60_000)
            place += 6
        } else {
            guard has("Z", at: place) || has("z", at: place) else { return nil }
            place += 1
        }
        guard place == bytes.count, let days = days(year, month, day) else { return nil }
        return UnixTime(milliseconds: ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + milliseconds - difference)
    }

    /// Since 1970-01-01; `nil` for a day that there was not.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let yearOfEra = shifted % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        // A day that the month has not would be read back as one of the next.
        return date(daysSince1970: days) == (year, month, day) ? days : nil
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
    private static func digits(_ value: Int64, _ count: Int, _ bytes: inout OutputSpan<UInt8>) {
        if count > 3 { bytes.append(48 + UInt8(truncatingIfNeeded: value / 1000 % 10)) }
        if count > 2 { bytes.append(48 + UInt8(truncatingIfNeeded: value / 100 % 10)) }
        bytes.append(48 + UInt8(truncatingIfNeeded: value / 10 % 10))
        bytes.append(48 + UInt8(truncatingIfNeeded: value % 10))
    }
}
