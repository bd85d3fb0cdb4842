/// How often each of many may ask; see ``RequestRate``. Those who have been quiet are forgotten.
struct VisitorRates {
    private static let most = 20_000

    private let perSecond: Int64
    private var rates: [String: (rate: RequestRate, last: UInt64)] = [:]

    /// Zero is no limit.
    init(perSecond: Int64) { self.perSecond = perSecond }

    var count: Int { rates.count }

    mutating func admits(_ name: String, at now: UInt64) -> Bool {
        guard perSecond > 0 else { return true }
        if rates.count >= Self.most { forgetQuiet(at: now) }
        // So many at once come from everywhere, against which this is no help.
        if rates[name] == nil, rates.count >= Self.most { return true }
        var rate = rates[name]?.rate ?? RequestRate(perSecond: perSecond)
        let isAdmitted = !rate.take(at: now).isExceeded
        rates[name] = (rate, now)
        return isAdmitted
    }

    private mutating func forgetQuiet(at now: UInt64) {
        rates = rates.filter { now - $0.value.last < 1_000_000_000 }
    }
}
