internal import Foundation

/// The values one source gives: the file, the environment or the flags.
struct SettingLayer: Sendable {
    struct Entry: Sendable, Equatable {
        /// More than one only for a list.
        var texts: [String]
        /// Where it was found, as messages name it.
        var origin: String
        /// Given as `…_file`: the text is the path of a file that holds the value.
        var isFile = false
    }

    /// By path as it occurs, without `_file`.
    private(set) var entries: [String: Entry] = [:]

    /// Takes one value in, or refuses a key that does not exist or is given twice.
    mutating func add(_ path: String, _ texts: [String], origin: String) throws(ConfigurationError) {
        var name = path
        var isFile = false
        if Setting.named(path) == nil, path.hasSuffix("_file") {
            name = String(path.dropLast("_file".count))
            isFile = true
        }
        guard let setting = Setting.named(name), !isFile || setting.isSecret else {
            throw .unknown(key: path, origin: origin, suggestion: Setting.resembling(path))
        }
        guard setting.isList || texts.count == 1 else {
            throw .bad(key: path, origin: origin, reason: "expected one value, found a list")
        }
        guard entries[name] == nil else {
            throw .bad(key: path, origin: origin, reason: "\(name) and \(name)_file are both set")
        }
        entries[name] = Entry(texts: texts, origin: origin, isFile: isFile)
    }
}

extension SettingLayer {
    /// The variables that begin with `LEYDEN_`.
    init(environment: [String: String]) throws(ConfigurationError) {
        for name in environment.keys.sorted() where name.hasPrefix(Self.prefix) {
            let value = environment[name] ?? ""
            guard !Self.isForeign(name), !value.isEmpty else { continue }
            guard let path = Self.path(ofVariable: name) else {
                throw .unknown(key: name, origin: "environment", suggestion: Setting.resembling(variable: name))
            }
            let texts = Setting.named(path)?.isList == true
                ? value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } : [value]
            try add(path, texts, origin: "environment \(name)")
        }
    }

    /// The name under which the environment carries a key.
    static func variable(ofPath path: String) -> String {
        prefix + path.replacing("[]", with: "_0").replacing(".", with: "_").uppercased()
    }

    private static let prefix = "LEYDEN_"

    /// Variables that are no settings: those of the command line itself, and what Kubernetes sets for a service named leyden.
    private static func isForeign(_ name: String) -> Bool {
        switch name {
        case "LEYDEN_CONFIG", "LEYDEN_URL", "LEYDEN_API_KEY", "LEYDEN_API_KEY_FILE", "LEYDEN_WEBHOOK_SECRET", "LEYDEN_PORT", "LEYDEN_SERVICE_HOST": true
        default: name.hasPrefix("LEYDEN_SERVICE_PORT") || name.hasPrefix("LEYDEN_PORT_")
        }
    }

    private static func path(ofVariable name: String) -> String? {
        let rest = name.dropFirst(prefix.count)
        if rest.hasPrefix("NODES_") {
            let parts = rest.dropFirst("NODES_".count).split(separator: "_", maxSplits: 1)
            guard parts.count == 2, let index = Int(parts[0]), index >= 0, String(index) == parts[0] else { return nil }
            let path = "nodes[\(index)].\(parts[1].lowercased())"
            return known(path)
        }
        return paths[String(rest)]
    }

    private static func known(_ path: String) -> String? {
        if Setting.named(path) != nil { return path }
        guard path.hasSuffix("_file"), Setting.named(String(path.dropLast("_file".count)))?.isSecret == true else { return nil }
        return path
    }

    private static let paths: [String: String] = {
        var paths: [String: String] = [:]
        for setting in Setting.all where !setting.path.contains("[]") {
            for path in setting.isSecret ? [setting.path, setting.path + "_file"] : [setting.path] {
                paths[path.replacing(".", with: "_").uppercased()] = path
            }
        }
        return paths
    }()
}
