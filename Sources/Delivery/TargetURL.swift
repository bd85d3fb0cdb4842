/// A URL that somebody else has given us to call, taken apart so that no two readers can understand it differently.
public struct TargetURL: Hashable, Sendable {
    public let text: String
    public let isTLS: Bool
    /// Lower case, without brackets.
    public let host: String
    public let port: Int
    /// What the host says, if it is an address in numbers.
    public let address: IPAddress?

    public static let maximumLength = 2048

    public enum Failure: Error, Equatable, Sendable {
        case tooLong
        case notHTTP
        /// Blanks, control characters, backslashes, or anything that is not ASCII.
        case badCharacter
        case credentials
        case fragment
        case badHost
        case badPort

        public var reason: String {
            switch self {
            case .tooLong: "has more than \(TargetURL.maximumLength) characters"
            case .notHTTP: "must begin with https:// or http://"
            case .badCharacter: "has a character that must be percent-encoded"
            case .credentials: "must not contain a user or a password"
            case .fragment: "must not have a fragment"
            case .badHost: "has no valid host"
            case .badPort: "has no valid port"
            }
        }
    }

    public init(_ text: String) throws(Failure) {
        guard text.utf8.count <= Self.maximumLength else { throw .tooLong }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") }) else { throw .badCharacter }
        let lower = text.lowercased()
        let rest: Substring
        if lower.hasPrefix("https://") {
            isTLS = true
            rest = text.dropFirst(8)
        } else if lower.hasPrefix("http://") {
            isTLS = false
            rest = text.dropFirst(7)
        } else { throw .notHTTP }
        guard !rest.contains("#") else { throw .fragment }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { throw .credentials }
        var name = authority
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw .badHost }
            name = authority[authority.index(after: authority.startIndex)..<end]
            let after = authority[authority.index(after: end)...]
            guard after.isEmpty || after.first == ":" else { throw .badHost }
            portText = after.isEmpty ? nil : after.dropFirst()
            guard let address = IPAddress(name), name.contains(":") else { throw .badHost }
            self.address = address
        } else {
            if let colon = authority.firstIndex(of: ":") {
                name = authority[..<colon]
                portText = authority[authority.index(after: colon)...]
            }
            address = IPAddress(name)
            guard address != nil || Self.isName(name.lowercased()) else { throw .badHost }
        }
        host = name.lowercased()
        if let portText {
            guard (1...5).contains(portText.utf8.count), portText.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(portText), (1...65535).contains(number) else {
                throw .badPort
            }
            port = number
        } else {
            port = isTLS ? 443 : 80
        }
        self.text = text
    }

    /// Labels of letters, digits, hyphens and underscores. The last has a letter and is no number of base sixteen: what remains
    /// would be an address to some readers and a name to others.
    private static func isName(_ name: String) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.utf8.count), label.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }),
                label.first != "-", label.last != "-" else { return false }
        }
        guard let last = labels.last else { return false }
        return last.contains { $0.isLetter } && !last.hasPrefix("0x")
    }
}
