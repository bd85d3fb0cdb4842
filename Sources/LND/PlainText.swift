/// Text that came from a node, made safe for a log line or a terminal.
enum PlainText {
    /// Control characters become spaces; the rest is cut to `limit` characters.
    static func of(_ text: some StringProtocol, limit: Int = 200) -> String {
        var plain = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(limit) {
            let isControl = scalar.value < 32 || (127..<160).contains(scalar.value)
                || scalar.properties.generalCategory == .format || scalar.value == 0x2028 || scalar.value == 0x2029
            plain.append(isControl ? " " : scalar)
        }
        return String(plain)
    }
}
