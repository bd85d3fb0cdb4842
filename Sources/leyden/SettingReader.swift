internal import Foundation
internal import LND

/// Gives each setting its value from the first layer that has it, else its default.
struct SettingReader {
    /// The strongest first.
    let layers: [SettingLayer]
    /// What relative paths of the file are seen from.
    let directory: String

    private static let maximumSecretSize = 1 << 16

    /// The value, or `nil` if it is neither set nor has a default.
    func optional<Value>(_ path: String, _ parse: (String) throws(BadValue) -> Value) throws(ConfigurationError) -> Value? {
        guard let setting = Setting.named(path) else { preconditionFailure("\(path) is no setting") }
        guard let entry = entry(path) else {
            guard let text = setting.fallback else { return nil }
            return try value(of: text, path, origin: "default", parse)
        }
        let text = entry.isFile ? try contents(entry.texts[0], of: path, origin: entry.origin) : entry.texts[0]
        return try value(of: text, path, origin: entry.origin, parse)
    }

    /// The value of a setting that has a default, or that its list's entry cannot do without.
    func value<Value>(_ path: String, _ parse: (String) throws(BadValue) -> Value) throws(ConfigurationError) -> Value {
        guard let value = try optional(path, parse) else { throw .missing(key: path, reason: "it has no default") }
        return value
    }

    /// The values of a list; empty if it is not set.
    func list<Value>(_ path: String, _ parse: (String) throws(BadValue) -> Value) throws(ConfigurationError) -> [Value] {
        guard let entry = entry(path) else { return [] }
        var values: [Value] = []
        for text in entry.texts { values.append(try value(of: text, path, origin: entry.origin, parse)) }
        return values
    }

    /// A path, certificate or macaroon; `…_file` means that the value is certainly a path.
    func credential(_ path: String, _ parse: (String) -> CredentialSource) throws(ConfigurationError) -> CredentialSource {
        let base = entry(path).map(base) ?? ""
        if let entry = entry(path), entry.isFile { return .path(FilePlace.resolve(entry.texts[0], relativeTo: base)) }
        return try value(path) { (text) throws(BadValue) in
            switch parse(text) {
            case .bytes(let bytes): return .bytes(bytes)
            case .path(let file):
                guard !file.isEmpty, file.utf8.count < 1024 else { throw BadValue("neither the path of a file nor hex nor base64 of one") }
                return .path(FilePlace.resolve(file, relativeTo: base))
            }
        }
    }

    /// A path of a file or directory.
    func place(_ path: String) throws(ConfigurationError) -> String? {
        let base = entry(path).map(base) ?? ""
        return try optional(path) { (text) throws(BadValue) in
            guard !text.isEmpty else { throw BadValue("is empty") }
            return FilePlace.resolve(text, relativeTo: base)
        }
    }

    /// Where a setting's value comes from, for messages about several values at once.
    func origin(_ path: String) -> String { entry(path)?.origin ?? "default" }

    /// How many entries a list of sections has; their numbers have to be dense.
    func count(_ list: String) throws(ConfigurationError) -> Int {
        var indices = Set<Int>()
        for path in layers.flatMap({ $0.entries.keys }) where path.hasPrefix(list + "[") {
            if let index = Int(path.dropFirst(list.count + 1).prefix { $0 != "]" }) { indices.insert(index) }
        }
        for index in 0..<indices.count where !indices.contains(index) {
            throw .missing(key: "\(list)[\(index)]", reason: "the list has an entry \(indices.max() ?? 0), so this one must exist")
        }
        return indices.count
    }

    private func entry(_ path: String) -> SettingLayer.Entry? {
        for layer in layers { if let entry = layer.entries[path] { return entry } }
        return nil
    }

    private func base(_ entry: SettingLayer.Entry) -> String {
        entry.origin.hasPrefix("environment") || entry.origin.hasPrefix("--") ? "" : directory
    }

    private func value<Value>(
        of text: String, _ path: String, origin: String, _ parse: (String) throws(BadValue) -> Value
    ) throws(ConfigurationError) -> Value {
        do {
            return try parse(text)
        } catch {
            throw .bad(key: path, origin: origin, reason: error.reason)
        }
    }

    private func contents(_ name: String, of path: String, origin: String) throws(ConfigurationError) -> String {
        let entry = entry(path)
        let file = FilePlace.resolve(name, relativeTo: entry.map(base) ?? "")
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw .bad(key: path + "_file", origin: origin, reason: "\(Text.shown(file)): \(ConfigurationFile.reason(file))")
        }
        guard bytes.count <= Self.maximumSecretSize, let text = String(validating: bytes, as: UTF8.self) else {
            throw .bad(key: path + "_file", origin: origin, reason: "\(Text.shown(file)): not a short text")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
