internal import Foundation
internal import Logging
internal import Payments

/// Writes each event of the log as one line on standard error.
struct LineLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel = Logger.Level.info
    private let label: String
    private let format: LogLine.Format

    init(label: String, format: LogLine.Format) {
        self.label = label
        self.format = format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
        if let error = event.error { fields["error"] = "\(error)" }
        let line = LogLine(
            time: UnixTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)), level: event.level, label: label, room: event.source,
            message: "\(event.message)", fields: fields)
        // One write, so that lines of several threads do not mix.
        try? FileHandle.standardError.write(contentsOf: Data(line.text(format).utf8))
    }
}
