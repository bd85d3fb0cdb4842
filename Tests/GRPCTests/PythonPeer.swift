import Foundation
import TestSupport
import Testing

/// A process of `Tests/interop/grpc_peer.py`.
struct PythonPeer: @unchecked Sendable {
    // @unchecked: Foundation's process and pipes are used by one test, one step after the other.
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    let port: Int
    private let process: Process
    private let input: Pipe

    /// The process ends when its input does.
    func stop() { try? input.fileHandleForWriting.close() }

    static func server(tls: Bool) async throws -> PythonPeer { try await onOwnThread { try startServer(tls: tls) } }

    /// Runs the Python client against a port; returns what it says.
    static func client(port: Int, tls: Bool) async throws -> String {
        try await onOwnThread { try runClient(port: port, tls: tls) }
    }

    /// Waiting for a process on one of the few threads that tests share would hold up the other tests.
    private static func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { done in
            Thread.detachNewThread { done.resume(with: Swift.Result(catching: body)) }
        }
    }

    private static func startServer(tls: Bool) throws -> PythonPeer {
        let files = try CertificateFiles()
        let (process, input, output) = try start(["server"] + (tls ? [files.certificate, files.key] : []))
        var text = Data()
        while !text.contains(UInt8(ascii: "\n")) {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { break }
            text += more
        }
        files.remove()
        guard let port = Int(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw missing
        }
        return PythonPeer(port: port, process: process, input: input)
    }

    private static func runClient(port: Int, tls: Bool) throws -> String {
        let files = try CertificateFiles()
        defer { files.remove() }
        let (process, _, output) = try start(["client", String(port)] + (tls ? [files.certificate] : []))
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else { throw missing }
        return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static let missing = Missing(
        description: "the Python peer did not run; it needs grpcio: python3 -m pip install grpcio")

    private static func start(_ arguments: [String]) throws -> (Process, Pipe, Pipe) {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let local = root.deletingLastPathComponent().appendingPathComponent(".venv/bin/python3").path
        let python = FileManager.default.isExecutableFile(atPath: local) ? local : "python3"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python, root.appendingPathComponent("interop/grpc_peer.py").path] + arguments
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        return (process, input, output)
    }
}

/// The test certificate as files, for a process that wants paths.
private struct CertificateFiles {
    let certificate: String
    let key: String
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("leyden-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let certificateFile = directory.appendingPathComponent("tls.cert")
        let keyFile = directory.appendingPathComponent("tls.key")
        try Data(TestCertificates.valid + [UInt8(ascii: "\n")]).write(to: certificateFile)
        try Data(TestCertificates.validKey + [UInt8(ascii: "\n")]).write(to: keyFile)
        certificate = certificateFile.path
        key = keyFile.path
    }

    func remove() { try? FileManager.default.removeItem(at: directory) }
}
