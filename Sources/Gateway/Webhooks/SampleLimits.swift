internal import Loop

/// How many samples may be sent to webhook endpoints by their owners' wish: what calls others at once must be no means to call them
/// as often as somebody likes, or to hold many of them open. Each process counts for itself.
@LoopActor
final class SampleLimits {
    /// In a second, to one endpoint and to all of an account.
    static let toEndpoint: Int64 = 5
    static let ofAccount: Int64 = 10
    /// An account's that are not answered yet.
    static let mostUnderWay = 16
    private static let mostRemembered = 1_000

    enum Verdict: Equatable {
        case granted
        case tooOften(Quota)
        case tooManyUnderWay
    }

    private enum Place: Hashable {
        case account(Int64)
        case endpoint(String)
    }

    private var rates: [Place: RequestRate] = [:]
    private var underWay: [Int64: Int] = [:]

    /// Takes one, which is given back with ``ended(_:)``. `now` is of a clock that never jumps, in nanoseconds.
    func take(_ account: Int64, _ endpoint: String, at now: UInt64) -> Verdict {
        guard underWay[account] ?? 0 < Self.mostUnderWay else { return .tooManyUnderWay }
        // Guessing must not fill the memory.
        if rates.count >= Self.mostRemembered { rates = rates.filter { !$0.value.isQuiet(at: now) } }
        for (place, limit) in [(Place.endpoint(endpoint), Self.toEndpoint), (.account(account), Self.ofAccount)] {
            var rate = rates[place] ?? RequestRate(perSecond: limit)
            let quota = rate.take(at: now)
            if quota.isExceeded { return .tooOften(quota) }
            rates[place] = rate
        }
        underWay[account, default: 0] += 1
        return .granted
    }

    func ended(_ account: Int64) {
        let left = (underWay[account] ?? 1) - 1
        underWay[account] = left > 0 ? left : nil
    }
}
