internal import Foundation
internal import Yams

/// The YAML file, read into a layer. Values stay text; what they mean is the reader's business.
struct ConfigurationFile {
    /// As it was asked for, for messages.
    let path: String
    let layer: SettingLayer

    /// A configuration is a page or two; more is a mistake in the path.
    private static let maximumSize = 1 << 20

    init(path: String) throws(ConfigurationError) {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw .unreadable(file: path, reason: Self.reason(path))
        }
        guard bytes.count <= Self.maximumSize else { throw .unreadable(file: path, reason: "larger than 1 MiB") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed(origin: path, reason: "not UTF-8") }
        try self.init(path: path, text: text)
    }

    init(path: String, text: String) throws(ConfigurationError) {
        self.path = path
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw .malformed(origin: path, reason: Self.oneLine(error))
        } catch {
            throw .malformed(origin: path, reason: "not YAML")
        }
        var layer = SettingLayer()
        if let root, !Self.isNull(root) {
            guard case .mapping = root else { throw .malformed(origin: path, reason: "expected keys and values") }
            try Self.add(root, at: "", of: path, to: &layer)
        }
        self.layer = layer
    }

    /// Why a file cannot be read, in words.
    static func reason(_ path: String) -> String {
        var isDirectory: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return "no such file" }
        return isDirectory.boolValue ? "is a directory" : "cannot be read (permissions?)"
    }

    private static func add(_ node: Node, at key: String, of path: String, to layer: inout SettingLayer) throws(ConfigurationError) {
        let origin = node.mark.map { "\(path):\($0.line)" } ?? path
        switch node {
        case .mapping(let mapping):
            for (name, value) in mapping {
                guard case .scalar(let scalar) = name else { throw .malformed(origin: origin, reason: "a key has to be a word") }
                let below = key.isEmpty ? Text.shown(scalar.string) : key + "." + Text.shown(scalar.string)
                // Checked here so that nothing is said of what lies below a key that does not exist.
                if case .scalar = value {} else if !Setting.isSection(below), Setting.named(below) == nil {
                    let line = name.mark.map { "\(path):\($0.line)" } ?? path
                    throw .unknown(key: below, origin: line, suggestion: Setting.resembling(below))
                }
                try add(value, at: below, of: path, to: &layer)
            }
        case .sequence(let sequence):
            if Setting.named(key)?.isList == true {
                var texts: [String] = []
                for item in sequence {
                    guard case .scalar(let scalar) = item else { throw .bad(key: key, origin: origin, reason: "expected a list of words") }
                    texts.append(scalar.string)
                }
                try layer.add(key, texts, origin: origin)
            } else if Setting.isSection(key + "[0]") {
                for (index, item) in sequence.enumerated() {
                    guard case .mapping = item else { throw .bad(key: "\(key)[\(index)]", origin: origin, reason: "expected keys and values") }
                    try add(item, at: "\(key)[\(index)]", of: path, to: &layer)
                }
            } else {
                throw .bad(key: key, origin: origin, reason: "expected one value, found a list")
            }
        case .scalar(let scalar):
            if Setting.isSection(key) {
                guard isNull(node) else { throw .bad(key: key, origin: origin, reason: "expected keys and values below it") }
            } else if !isNull(node) || Setting.named(key) == nil {
                try layer.add(key, [scalar.string], origin: origin)
            }
        case .alias:
            throw .malformed(origin: origin, reason: "aliases are not supported")
        }
    }

    private static func isNull(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null"].contains(scalar.string)
    }

    private static func oneLine(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            "line \(mark.line): \(problem)"
        case .duplicatedKeysInMapping(let duplicates, _):
            "the key \(Text.shown("\(duplicates.first ?? "")")) is given twice"
        default: "not YAML"
        }
    }
}
