internal import Foundation
internal import FoundationNetworking

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

    /// A line longer than this is no event of ours.
    private static let longestLine = 1 << 20

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
            } else if line.count < Self.longestLine {
                line.append(byte)
            }
        }
        return events
    }

    private mutating func lineEnded() -> ServerSentEvent? {
        guard !line.isEmpty else {
            defer { data = [] }
            return data.isEmpty ? nil : ServerSentEvent(id: id, data: data.joined(separator: "\n"))
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

/// Feeds what a URL session receives through the parser.
final class ServerSentEventReader: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    // @unchecked: `parser`, `status` and `refusal` are touched only by the session's delegate queue, which is serial.
    private let continuation: AsyncThrowingStream<ServerSentEvent, any Error>.Continuation
    private let name: String
    private var parser = ServerSentEventParser()
    private var status = 0
    private var refusal = Data()

    init(_ continuation: AsyncThrowingStream<ServerSentEvent, any Error>.Continuation, name: String) {
        self.continuation = continuation
        self.name = name
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        status = (response as? HTTPURLResponse)?.statusCode ?? 0
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        if status == 200 {
            for event in parser.received(data) { continuation.yield(event) }
        } else if refusal.count < 1 << 16 {
            refusal.append(data)
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if status == 200 {
            continuation.finish()
        } else if status != 0 {
            continuation.finish(throwing: GatewayClient.problem(status, refusal))
        } else {
            continuation.finish(throwing: StreamLost(reason: error.map { Text.shown($0.localizedDescription) } ?? "closed", name: name))
        }
    }
}

/// The gateway could not be reached; worth trying again.
struct StreamLost: Error {
    var reason: String
    var name: String
}
