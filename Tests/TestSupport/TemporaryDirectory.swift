internal import Foundation

/// A directory that goes away with its last reference.
package final class TemporaryDirectory: Sendable {
    package let path = FileManager.default.temporaryDirectory.appendingPathComponent("leyden-tests-\(UUID().uuidString)").path

    package init() {}

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
