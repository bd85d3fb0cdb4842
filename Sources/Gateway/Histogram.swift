/// Counts values in buckets that grow by a factor.
struct Histogram {
    /// For what a computer does, in seconds.
    static let seconds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
    /// For what may wait for the other parts of a payment or for a person, in seconds.
    static let waits = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
    /// For how many there are of something.
    static let sizes: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256]

    /// The buckets' upper limits; what is above the last is counted too.
    let bounds: [Double]
    /// One for each bound and one for what is above all of them.
    private(set) var counts: [UInt64]
    private(set) var sum: Double = 0

    init(_ bounds: [Double] = seconds) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    /// Counts a value as often as it occurred.
    mutating func record(_ value: Double, times: Int = 1) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += UInt64(times)
        sum += value * Double(times)
    }

    mutating func record(nanoseconds: UInt64, times: Int = 1) { record(Double(nanoseconds) / 1e9, times: times) }
}
