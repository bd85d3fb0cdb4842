public import Payments
internal import Wire

/// The field `Retry-After` (RFC 9110, 10.2.3): seconds, or a date of HTTP.
public enum RetryAfter {
    /// Milliseconds from `now`; `nil` if the text is neither. A date that has passed is zero.
    public static func milliseconds(_ text: String, at now: UnixTime) -> Int64? {
        let text = text.utf8.drop { $0 == 32 }
        if (1...9).contains(text.count), text.allSatisfy({ (48...57).contains($0) }) {
            return text.reduce(0) { $0 * 10 + Int64($1 - 48) } * 1000
        }
        return date(String(Substring(text))).map { max(0, $0.milliseconds - now.milliseconds) }
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that may still be sent.
    private static func date(_ text: String) -> UnixTime? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT", let day = Int64(words[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(words[2])).map({ Int64($0) + 1 }), let year = Int64(words[3]), (1970...9999).contains(year)
        else { return nil }
        let clock = words[4].split(separator: ":").map { Int64($0) ?? -1 }
        guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0...60).contains(clock[2]) else { return nil }
        let days = RFC3339.daysSince1970(year: year, month: month, day: day)
        return UnixTime(seconds: days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2])
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
