import Foundation

/// The repository as the tests see it.
enum House {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// What each room may import beside the standard library: only what lies below it, and one C library of its own.
    /// libuv is the exception: libwebsockets runs on the loop, so Edge hands it over.
    static let rooms: [String: Set<String>] = [
        "Payments": [],
        "Bolt": ["Payments"],
        "Wire": ["Payments"],
        "Fanout": ["Payments"],
        "Delivery": ["Payments", "Wire"],
        "LNURL": ["Payments", "Wire", "Bolt"],
        "Loop": ["CUV", "COpenSSL", "Glibc"],
        "Keys": ["Payments", "Bolt", "CSecp256k1", "CCrypto", "Glibc"],
        "GRPC": ["Loop", "CNghttp2", "Glibc"],
        "QR": ["CQREncode"],
        "Lightning": ["Payments", "Loop"],
        "LNDProto": ["SwiftProtobuf", "Foundation", "FoundationEssentials"],
        "LnmuxProto": ["SwiftProtobuf", "Foundation", "FoundationEssentials"],
        "LND": ["Payments", "Loop", "Lightning", "GRPC", "LNDProto", "SwiftProtobuf", "FoundationEssentials", "Logging", "Glibc"],
        "Ledger": ["Payments", "Wire", "Delivery", "Loop", "CPQ", "Logging", "Glibc"],
        "Edge": ["Payments", "Wire", "Fanout", "Loop", "CLWS", "CUV", "Logging", "Glibc"],
        "Webhooks": ["Delivery", "Loop", "CCurl", "Glibc"],
        "Gateway": [
            "Payments", "Bolt", "Wire", "Fanout", "Delivery", "LNURL", "Loop", "Keys", "GRPC", "Lightning", "LnmuxProto", "Edge", "Ledger", "LND", "Webhooks",
            "QR", "SwiftProtobuf",
            "FoundationEssentials", "Logging", "Glibc",
        ],
        "leyden": [
            "Payments", "Bolt", "Wire", "Delivery", "Loop", "Keys", "GRPC", "Edge", "Ledger", "LND", "Webhooks", "Gateway", "ArgumentParser", "Logging", "Yams",
            "Dispatch", "Foundation", "FoundationNetworking", "Glibc",
        ],
        "lnsim": [
            "Payments", "Bolt", "Wire", "Loop", "Keys", "GRPC", "LNDProto", "SwiftProtobuf", "COpenSSL", "ArgumentParser", "Logging",
            "Foundation", "FoundationEssentials", "Glibc",
        ],
        "Bench": ["Payments", "Bolt", "Wire", "Fanout", "Loop", "Keys", "Edge", "Gateway", "Logging", "Glibc"],
    ]

    /// They decide and encode; they touch nothing that can wait, lock, log or tell time.
    static let pureRooms = ["Payments", "Bolt", "Wire", "Fanout", "Delivery", "LNURL"]
    static let programs = ["leyden", "lnsim", "Bench"]

    /// Swift files written by hand below a directory.
    static func sources(below directory: String) -> [Source] {
        let base = root.appending(path: directory)
        let paths = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return paths.filter { $0.hasSuffix(".swift") && !$0.hasSuffix(".pb.swift") }.sorted().compactMap { path in
            guard let text = try? String(contentsOf: base.appending(path: path), encoding: .utf8) else { return nil }
            return Source(path: directory + "/" + path, text: text)
        }
    }

    static func text(_ path: String) throws -> String { try String(contentsOf: root.appending(path: path), encoding: .utf8) }
}

/// One file, line by line.
struct Source {
    let path: String
    let lines: [String]

    init(path: String, text: String) {
        self.path = path
        var lines = text.components(separatedBy: "\n")
        if lines.last == "" { lines.removeLast() }
        self.lines = lines
    }

    /// The modules that the file imports.
    var imports: [String] {
        lines.compactMap { line in
            guard line.contains("import "), let match = line.firstMatch(of: /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public\s+|internal\s+|package\s+|private\s+|fileprivate\s+)?import\s+(?:struct\s+|class\s+|enum\s+|func\s+|protocol\s+|var\s+|let\s+)?(\w+)/)
            else { return nil }
            return String(match.1)
        }
    }

    /// Where code, not a comment or a text, matches. Every match holds one of the words, which are found faster.
    func places(of pattern: some RegexComponent, _ words: [String]) -> [String] {
        lines.enumerated().compactMap { index, line in
            words.contains { line.contains($0) } && Self.code(line).contains(pattern) ? "\(path):\(index + 1): \(line.trimmingCharacters(in: .whitespaces))" : nil
        }
    }

    /// The line without what stands in quotes and after slashes.
    static func code(_ line: String) -> String {
        var code = ""
        var isText = false
        var isEscaped = false
        var previous: Character?
        for character in line {
            if isText {
                if character == "\"", !isEscaped { isText = false }
                isEscaped = character == "\\" && !isEscaped
                continue
            }
            if character == "/", previous == "/" { return String(code.dropLast()) }
            if character == "\"" { isText = true }
            code.append(character)
            previous = character
        }
        return code
    }

    /// Whether a comment stands within a few lines of this one.
    func hasComment(near index: Int) -> Bool {
        lines[max(0, index - 4)...min(lines.count - 1, index + 4)].contains { $0.contains("//") }
    }
}
