internal import Foundation

/// Where the paths of a configuration lead.
enum FilePlace {
    /// `~/` is the home directory; what is not absolute is seen from `directory`.
    static func resolve(_ path: String, relativeTo directory: String) -> String {
        if path == "~" || path.hasPrefix("~/"), let home = ProcessInfo.processInfo.environment["HOME"] {
            return home + path.dropFirst()
        }
        guard !path.hasPrefix("/"), !directory.isEmpty else { return path }
        return directory + "/" + path
    }

    /// The directory part, empty for the working directory.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// `public` beside the executable, where an installation has it, or in the working directory, where a checkout has it.
    static func publicDirectory() -> String? {
        let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = directory(of: executable)
        let candidates = [beside + "/public", beside + "/../share/leyden/public", FileManager.default.currentDirectoryPath + "/public"]
        return candidates.first { FileManager.default.fileExists(atPath: $0 + "/index.html") }
    }
}
