/// When an event is sent again that was not taken: ten attempts over about seventy-five hours.
public enum RetrySchedule {
    private static let second: Int64 = 1000
    private static let minute = 60 * second
    private static let hour = 60 * minute
    /// After the first attempt, the second…
    static let delays = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]

    /// Attempts, the first included.
    public static let attempts = delays.count + 1
    /// An endpoint that has taken nothing for so long is given up: after the last attempt of an event that had all of them.
    public static let patience = 96 * hour
    /// No receiver can put us off for longer.
    static let longestPause = 24 * hour

    /// Milliseconds to wait after so many attempts; `nil` if it was the last. `jitter` is in 0..<1 and spreads the wait by a
    /// tenth to either side, so that what failed together does not come back together.
    public static func delay(afterAttempts count: Int, jitter: Double) -> Int64? {
        guard delays.indices.contains(count - 1) else { return nil }
        return spread(delays[count - 1], jitter)
    }

    /// How long an endpoint is left alone that has failed so many times in a row: from five seconds, doubling, to an hour.
    static func pause(afterFailures count: Int, jitter: Double) -> Int64 {
        let doublings = min(max(0, count - EndpointMachine.struggleAfter), 10)
        return spread(min(hour, 5 * second << Int64(doublings)), jitter)
    }

    /// How long nothing is repeated to an endpoint that has failed so many times in a row: at most a minute, so that many events that
    /// wait cannot become many requests, and few are not kept from their own times.
    static func repetitionPause(afterFailures count: Int, jitter: Double) -> Int64 {
        min(pause(afterFailures: count, jitter: jitter), minute)
    }

    private static func spread(_ wait: Int64, _ jitter: Double) -> Int64 {
        wait * 9 / 10 + Int64(Double(wait / 5) * min(max(jitter, 0), 1))
    }
}
