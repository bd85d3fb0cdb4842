internal import Foundation

/// A JSON object from the gateway: printed as it came, or looked into for a few fields.
struct JSONObject {
    private let fields: [String: Any]

    init?(_ data: Data) {
        guard let fields = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else { return nil }
        self.fields = fields
    }

    private init(_ fields: [String: Any]) { self.fields = fields }

    /// A text, or a number as text.
    func text(_ key: String) -> String? {
        switch fields[key] {
        case let text as String: text
        case let number as NSNumber: number.stringValue
        default: nil
        }
    }

    /// Whether it is there and true.
    func flag(_ key: String) -> Bool { fields[key] as? Bool ?? false }

    func object(_ key: String) -> JSONObject? { (fields[key] as? [String: Any]).map(JSONObject.init) }

    func objects(_ key: String) -> [JSONObject] { (fields[key] as? [[String: Any]] ?? []).map(JSONObject.init) }

    /// One line, keys in alphabetical order.
    var line: String {
        let data = try? JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}
