/// The name before the `@` of a Lightning Address, and the tag after a `+` (LUD-16).
public struct LightningAddress: Equatable, Sendable {
    /// Lower case. `_` is the domain's own.
    public let name: String
    /// Whatever stands after the first `+`; the same user is paid.
    public let tag: String?

    static let maximumLength = 64

    /// What is asked for at `/.well-known/lnurlp/`, percent signs decoded. Upper case is taken for lower; `nil` for all but letters,
    /// digits, `-`, `_`, `.` and `+`.
    public init?(asked text: some StringProtocol) {
        guard (1...Self.maximumLength).contains(text.utf8.count) else { return nil }
        let parts = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = Self.name(parts[0]) else { return nil }
        self.name = name
        guard parts.count > 1, !parts[1].isEmpty else {
            tag = nil
            return
        }
        guard let tag = Self.lowered(parts[1], also: UInt8(ascii: "+")) else { return nil }
        self.tag = tag
    }

    /// A name that may be given away: `nil` for what no wallet would send, and for what only looks like another name.
    public static func name(_ text: some StringProtocol) -> String? {
        guard (1...maximumLength).contains(text.utf8.count), let name = lowered(text, also: nil) else { return nil }
        guard !name.hasPrefix("."), !name.hasSuffix("."), !name.contains("..") else { return nil }
        return name
    }

    /// Whether the text is a whole address, `name@host`. Nothing is asked of the host.
    public static func isWellFormed(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= 320, parts.count == 2, LightningAddress(asked: parts[0]) != nil else { return false }
        let hostAndPort = parts[1].split(separator: ":", omittingEmptySubsequences: false)
        guard hostAndPort.count <= 2, hostAndPort.count < 2 || UInt16(hostAndPort[1]) != nil else { return false }
        let labels = hostAndPort[0].split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2 && labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-") && label.utf8.allSatisfy(isLetterOrDigitOrHyphen)
        }
    }

    private static func isLetterOrDigitOrHyphen(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 45: true
        default: false
        }
    }

    private static func lowered(_ text: some StringProtocol, also other: UInt8?) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case 97...122, 48...57, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): bytes.append(byte)
            case 65...90: bytes.append(byte | 32)
            case other: bytes.append(byte)
            default: return nil
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
