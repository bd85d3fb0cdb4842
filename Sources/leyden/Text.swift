/// Text from outside, made fit for a message on a terminal.
enum Text {
    /// At most `limit` characters without control characters, so that a value can neither break the line nor move the cursor.
    static func shown(_ text: String, limit: Int = 120) -> String {
        let clean = String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit).filter { !isControl($0) }))
        return text.unicodeScalars.count > limit ? clean + "…" : clean
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
