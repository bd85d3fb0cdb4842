/// Counts durations in buckets that grow by a factor, for Prometheus.
struct Histogram {
    /// Upper bounds in seconds.
    static let bounds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

    private var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    private var sum: Double = 0

    mutating func record(nanoseconds: UInt64) {
        let seconds = Double(nanoseconds) / 1e9
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        sum += seconds
    }

    /// The exposition format's lines; buckets are cumulative there.
    func lines(_ name: String, help: String) -> String {
        var text = "# HELP \(name) \(help)\n# TYPE \(name) histogram\n"
        var total: UInt64 = 0
        for (bound, count) in zip(Self.bounds, counts) {
            total += count
            text += "\(name)_bucket{le=\"\(bound)\"} \(total)\n"
        }
        total += counts[Self.bounds.count]
        text += "\(name)_bucket{le=\"+Inf\"} \(total)\n\(name)_sum \(sum)\n\(name)_count \(total)\n"
        return text
    }
}
