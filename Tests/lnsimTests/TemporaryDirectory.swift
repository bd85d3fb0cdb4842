import Foundation

/// A directory that goes away with its last reference.
final class TemporaryDirectory: Sendable {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("lnsim-\(UUID().uuidString)").path

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
