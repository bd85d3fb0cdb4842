/// How often a key may ask: so many times in a second, and a second's worth at once.
///
/// It remembers one moment: when the key would have nothing left to wait for if it asked no more.
struct RequestRate: Equatable {
    private static let second: UInt64 = 1_000_000_000

    let perSecond: Int64
    private var quietAt: UInt64 = 0

    init(perSecond: Int64) { self.perSecond = max(1, perSecond) }

    private var interval: UInt64 { Self.second / UInt64(perSecond) }

    /// Takes one request, if it may be had. `now` is of a clock that never jumps, in nanoseconds.
    mutating func take(at now: UInt64) -> Quota {
        let quiet = max(quietAt, now)
        let wait = quiet + interval - now
        guard wait <= Self.second else { return quota(quiet - now, isExceeded: true, retryAfter: wait - Self.second) }
        quietAt = quiet + interval
        return quota(quietAt - now, isExceeded: false, retryAfter: 0)
    }

    /// Whether it remembers nothing any more that one beginning now would not.
    func isQuiet(at now: UInt64) -> Bool { quietAt <= now }

    private func quota(_ used: UInt64, isExceeded: Bool, retryAfter: UInt64) -> Quota {
        Quota(
            limit: perSecond, remaining: Int64((Self.second - min(used, Self.second)) / interval),
            resetSeconds: Int64((used + Self.second - 1) / Self.second), isExceeded: isExceeded,
            retryAfterSeconds: max(1, Int64((retryAfter + Self.second - 1) / Self.second)))
    }
}
