/// A length of time as the configuration writes it: `250ms`, `60s`, `7d`, `1h30m`.
struct Interval: Sendable, Equatable, Comparable, CustomStringConvertible {
    var milliseconds: Int64

    init(milliseconds: Int64) { self.milliseconds = milliseconds }

    init(_ text: String) throws(BadValue) {
        let wrong = BadValue("expected a time with its unit, such as 250ms, 60s, 5m, 12h or 7d")
        var total: Int64 = 0
        var rest = text.utf8[...]
        guard !rest.isEmpty else { throw wrong }
        while !rest.isEmpty {
            let digits = rest.prefix { (48...57).contains($0) }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { (97...122).contains($0) }
            rest = rest.dropFirst(letters.count)
            guard let count = Int64(String(digits) ?? ""), let unit = Self.units[String(letters) ?? ""] else { throw wrong }
            let (product, isTooLong) = count.multipliedReportingOverflow(by: unit)
            let (sum, isTooLongInAll) = total.addingReportingOverflow(product)
            guard !isTooLong, !isTooLongInAll, sum <= Self.longest else { throw BadValue("longer than a hundred years") }
            total = sum
        }
        milliseconds = total
    }

    /// The shortest way to write it with one unit.
    var description: String {
        for (name, unit) in Self.units.sorted(by: { $0.value > $1.value }) where milliseconds % unit == 0 {
            return "\(milliseconds / unit)\(name)"
        }
        return "\(milliseconds)ms"
    }

    static func < (lhs: Self, rhs: Self) -> Bool { lhs.milliseconds < rhs.milliseconds }

    private static let units: [String: Int64] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
    private static let longest: Int64 = 100 * 366 * 86_400_000
}
