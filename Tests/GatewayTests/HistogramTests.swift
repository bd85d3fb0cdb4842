@testable import Gateway
import Testing

@Suite struct HistogramTests {
    private func value(_ line: String, of histogram: Histogram) -> String? {
        histogram.lines("x", help: "h").split(separator: "\n").first { $0.hasPrefix(line + " ") }.map { String($0.dropFirst(line.count + 1)) }
    }

    @Test("an empty histogram has every bucket, at zero")
    func empty() {
        let lines = Histogram().lines("x", help: "What it is.").split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.prefix(2) == ["# HELP x What it is.", "# TYPE x histogram"])
        #expect(lines.dropFirst(2).dropLast().allSatisfy { $0.hasSuffix(" 0") || $0.hasSuffix(" 0.0") })
        #expect(lines.count == 2 + Histogram.bounds.count + 3 + 1)
        #expect(lines.last == "")
    }

    @Test("buckets are cumulative and a bound belongs to its own bucket")
    func cumulative() {
        var histogram = Histogram()
        for nanoseconds: UInt64 in [50_000, 50_001, 1_000_000, 5_000_000_000, 5_000_000_001] { histogram.record(nanoseconds: nanoseconds) }
        #expect(value(#"x_bucket{le="5e-05"}"#, of: histogram) == "1")
        #expect(value(#"x_bucket{le="0.0001"}"#, of: histogram) == "2")
        #expect(value(#"x_bucket{le="0.0005"}"#, of: histogram) == "2")
        #expect(value(#"x_bucket{le="0.001"}"#, of: histogram) == "3")
        #expect(value(#"x_bucket{le="5.0"}"#, of: histogram) == "4")
        #expect(value(#"x_bucket{le="+Inf"}"#, of: histogram) == "5")
        #expect(value("x_count", of: histogram) == "5")
    }

    @Test("the sum is in seconds")
    func sum() {
        var histogram = Histogram()
        histogram.record(nanoseconds: 500_000_000)
        histogram.record(nanoseconds: 1_250_000_000)
        #expect(value("x_sum", of: histogram) == "1.75")
    }

    @Test("the longest duration is counted")
    func extreme() {
        var histogram = Histogram()
        histogram.record(nanoseconds: .max)
        #expect(value(#"x_bucket{le="5.0"}"#, of: histogram) == "0")
        #expect(value("x_count", of: histogram) == "1")
    }

    @Test("bounds ascend")
    func bounds() { #expect(zip(Histogram.bounds, Histogram.bounds.dropFirst()).allSatisfy { $0 < $1 }) }
}
