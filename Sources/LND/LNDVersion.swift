/// A release of LND: `0.21.2-beta`, `v0.20.3-beta.rc1`, or either with what other builders append.
public struct LNDVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var major: UInt32
    public var minor: UInt32
    public var patch: UInt32
    /// The number of a release candidate; `nil` for a release. All of LND's releases call themselves `beta`.
    public var candidate: UInt32?

    public init(_ major: UInt32, _ minor: UInt32, _ patch: UInt32, candidate: UInt32? = nil) {
        self.major = major
        self.minor = minor
        self.patch = patch
        self.candidate = candidate
    }

    /// `preRelease` is `app_pre_release` of GetVersion: `beta`, `beta.rc2`, or somebody's own words.
    public init(_ major: UInt32, _ minor: UInt32, _ patch: UInt32, preRelease: String) {
        self.init(major, minor, patch, candidate: Self.candidate(in: Substring(preRelease)))
    }

    /// `nil` unless the text begins with two or three numbers, after an optional `v`.
    public init?(_ text: String) {
        var rest = Substring(text)
        if rest.first == "v" || rest.first == "V" { rest = rest.dropFirst() }
        let core = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let numbers = core.split(separator: ".", omittingEmptySubsequences: false).prefix(3).map { UInt32($0) }
        guard numbers.count >= 2, let major = numbers[0], let minor = numbers[1] else { return nil }
        let patch = numbers.count > 2 ? numbers[2] : 0
        guard let patch else { return nil }
        let suffix = rest.dropFirst(core.count).prefix { $0 != " " && $0 != "+" }
        self.init(major, minor, patch, candidate: Self.candidate(in: suffix))
    }

    /// The digits after the first `rc` that stands at the start of a word.
    private static func candidate(in suffix: Substring) -> UInt32? {
        for word in suffix.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) where word.hasPrefix("rc") {
            let digits = word.dropFirst(2)
            if digits.isEmpty { return 0 }
            if let number = UInt32(digits) { return number }
        }
        return nil
    }

    public static func < (lhs: Self, rhs: Self) -> Bool {
        if lhs.major != rhs.major { return lhs.major < rhs.major }
        if lhs.minor != rhs.minor { return lhs.minor < rhs.minor }
        if lhs.patch != rhs.patch { return lhs.patch < rhs.patch }
        return (lhs.candidate ?? .max) < (rhs.candidate ?? .max)
    }

    public var description: String {
        let release = "\(major).\(minor).\(patch)-beta"
        return candidate.map { "\(release).rc\($0)" } ?? release
    }
}
