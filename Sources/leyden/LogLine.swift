internal import Foundation
internal import Logging
internal import Payments
internal import Wire

/// One line of the log. Its field names never change; whatever stands in a message or a value, the line stays one line and
/// a value stays within its field.
struct LogLine {
    enum Format: String, CaseIterable, Sendable {
        /// `time level label: field=value… [room] message`
        case console
        /// A JSON object: `time`, `level`, `label`, `room`, `message`, then the fields by their names.
        case json
    }

    /// A field that would hide one of these is written with an underscore behind it.
    private static let own: Set<String> = ["time", "level", "label", "room", "message"]

    var time: UnixTime
    var level: Logger.Level
    var label: String
    /// The part of the program that speaks.
    var room: String
    var message: String
    var fields: [String: String]

    func text(_ format: Format) -> String {
        switch format {
        case .console: console
        case .json: json
        }
    }

    private var console: String {
        let fields = fields.sorted { $0.key < $1.key }.map { "\(Self.escaped($0.key))=\(Self.quoted($0.value)) " }.joined()
        return "\(RFC3339.text(time)) \(level.rawValue) \(Self.escaped(label)): \(fields)[\(Self.escaped(room))] \(Self.escaped(message))\n"
    }

    private var json: String {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.field("time", time)
            json.field("level", level.rawValue)
            json.field("label", label)
            json.field("room", room)
            json.field("message", Self.escaped(message, but: Self.jsonEscapes))
            for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
                let name = Self.own.contains(name) ? name + "_" : Self.escaped(name, but: Self.jsonEscapes)
                json.field(named: name, .string(Self.escaped(value, but: Self.jsonEscapes)))
            }
        }
        return String(decoding: json.bytes, as: UTF8.self) + "\n"
    }

    /// JSON has a way of its own to write these.
    private static func jsonEscapes(_ scalar: Unicode.Scalar) -> Bool { scalar.value < 0x20 }

    /// Quoted where a reader could take part of it for another field.
    private static func quoted(_ value: String) -> String {
        let text = escaped(value)
        guard text.isEmpty || text.contains(where: { " =\"[]".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\\\"") + "\""
    }

    /// Without what could end the line, move the cursor or turn the direction of writing.
    private static func escaped(_ text: String, but isHarmless: (Unicode.Scalar) -> Bool = { _ in false }) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            if isHarmless(scalar) {
                shown.unicodeScalars.append(scalar)
                continue
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }
}
