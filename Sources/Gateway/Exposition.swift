/// Prometheus' text format, version 0.0.4: one family after the other, each with its help and its type before its samples.
///
/// Every name begins with `leyden_`; a counter's ends with `_total`.
struct Exposition {
    private(set) var text = ""

    mutating func counter(_ name: String, _ help: String, _ value: some BinaryInteger) {
        family(name + "_total", "counter", help)
        text += "leyden_\(name)_total \(value)\n"
    }

    mutating func gauge(_ name: String, _ help: String, _ value: some BinaryInteger) {
        family(name, "gauge", help)
        text += "leyden_\(name) \(value)\n"
    }

    /// One sample for each value of the label.
    mutating func counter(_ name: String, _ help: String, by label: String, _ values: [(String, some BinaryInteger)]) {
        family(name + "_total", "counter", help)
        for (key, value) in values { text += "leyden_\(name)_total{\(label)=\"\(Self.escaped(key))\"} \(value)\n" }
    }

    mutating func gauge(_ name: String, _ help: String, by label: String, _ values: [(String, some BinaryInteger)]) {
        family(name, "gauge", help)
        for (key, value) in values { text += "leyden_\(name){\(label)=\"\(Self.escaped(key))\"} \(value)\n" }
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        family(name, "histogram", help)
        // Buckets are cumulative there.
        var total: UInt64 = 0
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            total += count
            text += "leyden_\(name)_bucket{le=\"\(bound)\"} \(total)\n"
        }
        total += histogram.counts[histogram.bounds.count]
        text += "leyden_\(name)_bucket{le=\"+Inf\"} \(total)\nleyden_\(name)_sum \(histogram.sum)\nleyden_\(name)_count \(total)\n"
    }

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP leyden_\(name) \(help)\n# TYPE leyden_\(name) \(type)\n"
    }

    /// A label's value may not end itself.
    private static func escaped(_ value: String) -> String {
        String(value.flatMap { character -> [Character] in
            switch character {
            case "\\": ["\\", "\\"]
            case "\"": ["\\", "\""]
            case "\n": ["\\", "n"]
            default: [character]
            }
        })
    }
}
