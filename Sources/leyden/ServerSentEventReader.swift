internal import Foundation
internal import FoundationNetworking

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

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
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
        } else if [429, 502, 503, 504].contains(status) {
            // A gateway that starts, a proxy that waits for it: asking again may help.
            continuation.finish(throwing: StreamLost(reason: "\(GatewayClient.problem(status, refusal))", name: name))
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
