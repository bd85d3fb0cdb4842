/// An LND version text such as `0.21.2-beta.rc1 commit=…`, taken apart tolerantly.
struct ReleaseNumber: Equatable, Sendable {
    var major: UInt32 = 0
    var minor: UInt32 = 0
    var patch: UInt32 = 0
    var preRelease = ""

    init(_ version: String) {
        let release = version.prefix { $0 != " " }
        let halves = release.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = (halves.first ?? "").split(separator: ".").map { UInt32($0) ?? 0 }
        if numbers.count > 0 { major = numbers[0] }
        if numbers.count > 1 { minor = numbers[1] }
        if numbers.count > 2 { patch = numbers[2] }
        if halves.count > 1 { preRelease = String(halves[1]) }
    }

    var text: String { "\(major).\(minor).\(patch)" + (preRelease.isEmpty ? "" : "-" + preRelease) }
}
