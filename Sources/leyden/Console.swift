internal import Foundation

/// The terminal of the person who called the command.
enum Console {
    /// Results.
    static func line(_ text: String) { self.text(text + "\n") }
    static func text(_ text: String) { write(text, to: .standardOutput) }

    /// One JSON object on one line.
    static func json(_ object: [String: Any]) {
        let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        line(String(decoding: data ?? Data(), as: UTF8.self))
    }

    /// Everything that is not a result, one line each.
    static func error(_ text: String) {
        write("leyden: " + text.replacing("\n", with: " ") + "\n", to: .standardError)
    }

    private static func write(_ text: String, to handle: FileHandle) { try? handle.write(contentsOf: Data(text.utf8)) }
}
