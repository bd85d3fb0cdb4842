internal import Foundation

/// One event of a `text/event-stream` (HTML standard, section 9.2).
struct ServerSentEvent: Sendable, Equatable {
    var id: String?
    var data: String
}

/// Cuts a stream of bytes into events.
struct ServerSentEventParser {
    private var line: [UInt8] = []
    private var data: [String] = []
    private var id: String?
    private var followsCarriageReturn = false

    /// What is longer than this is no event of ours, and is left out.
    private static let longest = 1 << 20
    private var size = 0
    private var lineSize = 0

    /// The events that these bytes complete.
    mutating func received(_ bytes: some Sequence<UInt8>) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            let isLineFeedOfPair = followsCarriageReturn && byte == 10
            followsCarriageReturn = byte == 13
            if isLineFeedOfPair { continue }
            if byte == 10 || byte == 13 {
                if let event = lineEnded() { events.append(event) }
                line = []
                lineSize = 0
            } else {
                lineSize += 1
                size += 1
                if size <= Self.longest { line.append(byte) }
            }
        }
        return events
    }

    private mutating func lineEnded() -> ServerSentEvent? {
        guard lineSize > 0 else {
            defer {
                data = []
                size = 0
            }
            return data.isEmpty || size > Self.longest ? nil : ServerSentEvent(id: id, data: data.joined(separator: "\n"))
        }
        // Only an event is worth remembering; comments come for ever.
        guard size <= Self.longest else {
            data = []
            return nil
        }
        if line.first == UInt8(ascii: ":"), data.isEmpty {
            size = 0
            return nil
        }
        let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        var value = parts.count > 1 ? parts[1] : []
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: parts[0], as: UTF8.self) {
        case "data": data.append(String(decoding: value, as: UTF8.self))
        case "id": id = String(decoding: value, as: UTF8.self)
        default: break
        }
        return nil
    }
}
