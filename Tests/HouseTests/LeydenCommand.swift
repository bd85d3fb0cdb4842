import Foundation

/// The executable that was built beside the tests, run as a user would.
struct LeydenCommand {
    var status: Int32
    var output: String
    var errors: String

    init(_ arguments: [String], environment: [String: String] = [:], in directory: URL = FileManager.default.temporaryDirectory) throws {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tests).deletingLastPathComponent().appending(path: "leyden")
        process.arguments = arguments
        process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { given, _ in given }
        process.currentDirectoryURL = directory
        process.standardInput = FileHandle.nullDevice
        // Files, not pipes: a full pipe would stop both.
        let place = FileManager.default.temporaryDirectory.appending(path: "leyden-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let files = [place.appending(path: "out"), place.appending(path: "err")]
        for file in files { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        process.waitUntilExit()
        status = process.terminationStatus
        output = String(decoding: try Data(contentsOf: files[0]), as: UTF8.self)
        errors = String(decoding: try Data(contentsOf: files[1]), as: UTF8.self)
    }

    /// `leyden config check` with this file and environment.
    static func check(_ yaml: String, environment: [String: String] = [:], _ flags: [String] = []) throws -> LeydenCommand {
        let directory = FileManager.default.temporaryDirectory.appending(path: "leyden-config-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try Data(yaml.utf8).write(to: directory.appending(path: "leyden.yml"))
        return try LeydenCommand(["config", "check", "--config", "leyden.yml"] + flags, environment: environment, in: directory)
    }
}
