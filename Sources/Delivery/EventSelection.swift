public import Payments

/// Which types of events an endpoint wants: names, `invoice.*`, or `*`.
public struct EventSelection: Equatable, Sendable {
    /// As they were given.
    public let patterns: [String]
    private let names: Set<String>
    /// With their dot.
    private let prefixes: [String]
    private let isAll: Bool

    public static let maximumPatterns = 64

    /// `nil` if there is none, there are too many, or one can match nothing that this version tells.
    public init?(_ patterns: [String]) {
        guard (1...Self.maximumPatterns).contains(patterns.count), patterns.allSatisfy(Self.isKnown) else { return nil }
        self.init(stored: patterns)
    }

    /// As it was stored, perhaps by a version that tells more.
    public init(stored patterns: [String]) {
        self.patterns = patterns
        isAll = patterns.contains("*")
        prefixes = patterns.filter { $0.hasSuffix(".*") }.map { String($0.dropLast()) }
        names = Set(patterns)
    }

    public func admits(_ type: EventType) -> Bool {
        if isAll { return true }
        let name = type.rawValue
        return names.contains(name) || prefixes.contains { name.hasPrefix($0) }
    }

    /// The types to ask the log for; empty for all.
    public var types: [EventType] { isAll ? [] : EventType.allCases.filter(admits) }

    /// Whether it is a name that this version tells, or stands for some.
    public static func isKnown(_ pattern: String) -> Bool {
        pattern == "*" || EventType.allCases.contains { $0.rawValue == pattern || pattern.hasSuffix(".*") && $0.rawValue.hasPrefix(pattern.dropLast()) }
    }
}
