internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import Keys
internal import Payments

/// `leyden keygen`: a new identity key.
struct Keygen: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes an identity key: 32 random bytes in hex.",
        discussion: "With --out the key goes into a new file that only you can read, and nothing is printed.")

    @Option(help: "The file to create; an existing one is never overwritten.", completion: .file()) var out: String?
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let key = Self.key()
        if let out {
            let descriptor = unsafe open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                let isThere = FileManager.default.fileExists(atPath: out)
                throw CommandError("\(out): " + (isThere ? "exists already and is not overwritten" : "cannot be created"))
            }
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            try handle.write(contentsOf: Data((key + "\n").utf8))
            if json { Console.json(["identity_key_file": out]) }
        } else if json {
            Console.json(["identity_key": key])
        } else {
            Console.line(key)
        }
    }

    private static func key() -> String {
        while true {
            let text = SecureRandom.bytes32().hex
            // One in 2^128 is no key of the curve.
            if (try? SettingParser.privateKey(text)) != nil { return text }
        }
    }
}
