internal import Foundation
internal import FoundationNetworking

/// One whole answer over HTTP. A redirect is taken for the answer that it is: an API key goes to the address that was given and
/// nowhere else. What is longer than any answer of a gateway is cut off.
final class AnswerReader: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    // @unchecked: everything is touched only by the session's delegate queue, which is serial.
    private var status = 0
    private var data = Data()
    private let done: CheckedContinuation<(status: Int, data: Data), any Error>

    private static let longest = 64 << 20

    private init(_ done: CheckedContinuation<(status: Int, data: Data), any Error>) { self.done = done }

    static func read(_ request: URLRequest) async throws -> (status: Int, data: Data) {
        try await withCheckedThrowingContinuation { done in
            let session = URLSession(configuration: .ephemeral, delegate: AnswerReader(done), delegateQueue: nil)
            session.dataTask(with: request).resume()
            session.finishTasksAndInvalidate()
        }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        status = (response as? HTTPURLResponse)?.statusCode ?? 0
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        self.data.append(data)
        if self.data.count > Self.longest { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if let error, status == 0 || self.data.count > Self.longest { return done.resume(throwing: error) }
        done.resume(returning: (status, data))
    }
}
