/// A strict reader of Prometheus' text format.
enum PrometheusText {
    struct Violation: Error {
        var line: Substring
        var reason: String
    }

    struct Sample {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    struct Family {
        var name: String
        var type: String
        var samples: [Sample] = []
    }

    static func read(_ text: String) throws -> [Family] {
        guard text.hasSuffix("\n") else { throw Violation(line: text.suffix(20), reason: "the last line does not end") }
        var families: [Family] = []
        var helped: String?
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# HELP "), words.count == 4 {
                helped = String(words[2])
            } else if line.hasPrefix("# TYPE "), words.count == 4 {
                let name = String(words[2])
                guard helped == name else { throw Violation(line: line, reason: "no help before the type") }
                guard !families.contains(where: { $0.name == name }) else { throw Violation(line: line, reason: "declared twice") }
                guard ["counter", "gauge", "histogram"].contains(words[3]) else { throw Violation(line: line, reason: "unknown type") }
                families.append(Family(name: name, type: String(words[3])))
            } else {
                let sample = try sample(line)
                guard let family = families.last, belongs(sample.name, to: family) else { throw Violation(line: line, reason: "not of the family above") }
                guard !family.samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
                    throw Violation(line: line, reason: "told twice")
                }
                families[families.count - 1].samples.append(sample)
            }
        }
        for family in families where family.type == "histogram" { try check(family) }
        return families
    }

    private static func belongs(_ name: String, to family: Family) -> Bool {
        family.type == "histogram" ? ["_bucket", "_sum", "_count"].contains { family.name + $0 == name } : family.name == name
    }

    private static func sample(_ line: Substring) throws -> Sample {
        var rest = line[...]
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        guard !name.isEmpty else { throw Violation(line: line, reason: "no name") }
        rest = rest.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            repeat {
                rest = rest.dropFirst()
                let label = rest.prefix { $0 != "=" }
                rest = rest.dropFirst(label.count)
                guard rest.hasPrefix("=\"") else { throw Violation(line: line, reason: "no value of a label") }
                rest = rest.dropFirst(2)
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    guard character == "\\" else {
                        value.append(character)
                        continue
                    }
                    switch rest.popFirst() {
                    case "n": value.append("\n")
                    case "\\": value.append("\\")
                    case "\"": value.append("\"")
                    default: throw Violation(line: line, reason: "unknown escape")
                    }
                }
                labels[String(label)] = value
            } while rest.first == ","
            guard rest.popFirst() == "}" else { throw Violation(line: line, reason: "the labels do not end") }
        }
        guard rest.popFirst() == " ", let value = Double(rest) else { throw Violation(line: line, reason: "no value") }
        return Sample(name: String(name), labels: labels, value: value)
    }

    private static func check(_ family: Family) throws {
        let buckets = family.samples.filter { $0.name.hasSuffix("_bucket") }
        let bounds = buckets.map { $0.labels["le"] == "+Inf" ? .infinity : Double($0.labels["le"] ?? "") ?? .nan }
        let counts = buckets.map(\.value)
        let total = family.samples.first { $0.name.hasSuffix("_count") }?.value
        guard bounds.last == .infinity, bounds == bounds.sorted(), counts == counts.sorted(), counts.last == total,
            family.samples.contains(where: { $0.name.hasSuffix("_sum") })
        else { throw Violation(line: Substring(family.name), reason: "not a histogram") }
    }
}
