/// How many times each of many may do something: so often in a second, and several seconds' worth at once.
///
/// Only those are remembered who have not been quiet for long enough, and never more than a fixed number.
struct RateLimit<Key: Hashable> {
    private struct Bucket {
        var left: Int
        var second: Int
    }

    private let perSecond: Int
    private let burst: Int
    private let most: Int
    private var buckets: [Key: Bucket] = [:]

    /// Zero per second is no limit.
    init(perSecond: Int, burst: Int, most: Int = 100_000) {
        self.perSecond = perSecond
        self.burst = max(burst, perSecond)
        self.most = most
    }

    /// How many are remembered.
    var count: Int { buckets.count }

    /// False if it is too often.
    mutating func admits(_ key: Key, second: Int) -> Bool {
        guard perSecond > 0 else { return true }
        guard var bucket = buckets[key] else {
            // So many at once are an attack from everywhere, against which this limit is no help.
            if buckets.count < most { buckets[key] = Bucket(left: burst - 1, second: second) }
            return true
        }
        bucket.left = left(bucket, second)
        bucket.second = second
        let isAdmitted = bucket.left > 0
        if isAdmitted { bucket.left -= 1 }
        buckets[key] = bucket
        return isAdmitted
    }

    /// Forgets those who may do all again.
    mutating func forgetQuiet(second: Int) {
        guard !buckets.isEmpty else { return }
        buckets = buckets.filter { left($0.value, second) < burst }
    }

    private func left(_ bucket: Bucket, _ second: Int) -> Int { min(burst, bucket.left + (second - bucket.second) * perSecond) }
}
