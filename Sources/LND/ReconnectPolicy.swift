/// How long to wait before the next attempt, and when waiting has become a problem. Time and randomness are parameters.
struct ReconnectPolicy: Equatable {
    enum Cause: Equatable {
        /// The connection or a stream broke.
        case lost
        /// The node cannot be used as it is; somebody has to change something.
        case refused
        /// Another interceptor is connected: somebody else's, or the ghost of our last one.
        case occupied
    }

    struct Wait: Equatable {
        var milliseconds: UInt64
        /// A ghost would be gone by now.
        var isAlarming = false
    }

    /// All in milliseconds.
    struct Timing: Equatable, Sendable {
        var first: UInt64 = 1_000
        var longest: UInt64 = 30_000
        var firstAfterRefusal: UInt64 = 5_000
        var longestWhileOccupied: UInt64 = 10_000
        /// LND notices a vanished client after its ping time of 60 s and its ping timeout of 20 s.
        var ghostPatience: UInt64 = 80_000
        /// A connection that broke earlier than this counts as another failure, so that an answer which ends the stream
        /// cannot make a tight loop.
        var stable: UInt64 = 10_000
    }

    let timing: Timing
    private var failures: UInt64 = 0
    private var occupiedSince: UInt64?
    private var connectedSince: UInt64?

    init(timing: Timing = Timing()) { self.timing = timing }

    mutating func connected(at now: UInt64) {
        connectedSince = now
        occupiedSince = nil
    }

    /// The wait is drawn from the upper half of a span that doubles with each failure.
    mutating func failed(_ cause: Cause, at now: UInt64, random: UInt64) -> Wait {
        if let since = connectedSince, now >= since, now - since >= timing.stable { failures = 0 }
        connectedSince = nil
        var isAlarming = false
        let first, longest: UInt64
        switch cause {
        case .lost:
            (first, longest) = (timing.first, timing.longest)
        case .refused:
            (first, longest) = (timing.firstAfterRefusal, timing.longest)
            occupiedSince = nil
        case .occupied:
            (first, longest) = (timing.first, timing.longestWhileOccupied)
            let since = occupiedSince ?? now
            occupiedSince = since
            isAlarming = now >= since && now - since >= timing.ghostPatience
        }
        let span = max(1, min(longest, first << min(failures, 16)))
        failures = min(failures + 1, 16)
        return Wait(milliseconds: span - random % (span / 2 + 1), isAlarming: isAlarming)
    }
}
