@testable import Gateway
import Testing

@Suite struct HistogramTests {
    private func value(_ line: String, of histogram: Histogram) -> String? {
        var text = Exposition()
        text.histogram("x", "h", histogram)
        return text.text.split(separator: "\n").first { $0.hasPrefix(line + " ") }.map { String($0.dropFirst(line.count + 1)) }
    }

    @Test("an empty histogram has every bucket, at zero", arguments: [Histogram.seconds, Histogram.waits, Histogram.sizes])
    func empty(_ bounds: [Double]) {
        var text = Exposition()
        text.histogram("x", "What it is.", Histogram(bounds))
        let lines = text.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.prefix(2) == ["# HELP leyden_x What it is.", "# TYPE leyden_x histogram"])
        #expect(lines.dropFirst(2).dropLast().allSatisfy { $0.hasSuffix(" 0") || $0.hasSuffix(" 0.0") })
        #expect(lines.count == 2 + bounds.count + 3 + 1)
        #expect(lines.last == "")
    }

    @Test("buckets are cumulative and a bound belongs to its own bucket")
    func cumulative() {
        var histogram = Histogram()
        for nanoseconds: UInt64 in [50_000, 50_001, 1_000_000, 5_000_000_000, 5_000_000_001] { histogram.record(nanoseconds: nanoseconds) }
        #expect(value(#"leyden_x_bucket{le="5e-05"}"#, of: histogram) == "1")
        #expect(value(#"leyden_x_bucket{le="0.0001"}"#, of: histogram) == "2")
        #expect(value(#"leyden_x_bucket{le="0.0005"}"#, of: histogram) == "2")
        #expect(value(#"leyden_x_bucket{le="0.001"}"#, of: histogram) == "3")
        #expect(value(#"leyden_x_bucket{le="5.0"}"#, of: histogram) == "4")
        #expect(value(#"leyden_x_bucket{le="+Inf"}"#, of: histogram) == "5")
        #expect(value("leyden_x_count", of: histogram) == "5")
    }

    @Test("the sum is in seconds")
    func sum() {
        var histogram = Histogram()
        histogram.record(nanoseconds: 500_000_000)
        histogram.record(nanoseconds: 1_250_000_000)
        #expect(value("leyden_x_sum", of: histogram) == "1.75")
    }

    @Test("what occurred several times is counted as often")
    func times() {
        var histogram = Histogram(Histogram.sizes)
        histogram.record(3, times: 4)
        #expect(value(#"leyden_x_bucket{le="4.0"}"#, of: histogram) == "4")
        #expect(value("leyden_x_sum", of: histogram) == "12.0")
    }

    @Test("the longest duration is counted")
    func extreme() {
        var histogram = Histogram()
        histogram.record(nanoseconds: .max)
        #expect(value(#"leyden_x_bucket{le="5.0"}"#, of: histogram) == "0")
        #expect(value("leyden_x_count", of: histogram) == "1")
    }

    @Test("bounds ascend", arguments: [Histogram.seconds, Histogram.waits, Histogram.sizes])
    func bounds(_ bounds: [Double]) { #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }) }
}
