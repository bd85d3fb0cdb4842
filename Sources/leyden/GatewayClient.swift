internal import Foundation
internal import FoundationNetworking

/// The REST interface of a running gateway, seen by the command line.
struct GatewayClient: Sendable {
    let base: String
    let apiKey: String?

    /// The answer's JSON object; anything but success is thrown as the problem that the gateway names.
    func call(
        _ method: String = "GET", _ path: String, query: [String: String] = [:], body: [String: Any]? = nil, timeout: TimeInterval = 60
    ) async throws -> JSONObject {
        var request = try self.request(method, path, query: query)
        request.timeoutInterval = timeout
        if let body {
            request.httpBody = try JSONSerialization.data(withJSONObject: body)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        let status: Int
        let data: Data
        do {
            (status, data) = try await AnswerReader.read(request)
        } catch {
            throw unreachable(error)
        }
        guard (200..<300).contains(status) else { throw Self.problem(status, data) }
        guard let object = JSONObject(data) else { throw CommandError("\(base): the answer is no JSON object; is this a Leyden gateway?") }
        return object
    }

    /// Events as they come, from the one after `offset`; ends when the gateway closes the stream.
    func events(_ path: String, query: [String: String] = [:], after offset: String? = nil) throws -> AsyncThrowingStream<ServerSentEvent, any Error> {
        var request = try self.request("GET", path, query: query)
        request.setValue("text/event-stream", forHTTPHeaderField: "Accept")
        if let offset { request.setValue(offset, forHTTPHeaderField: "Last-Event-ID") }
        // The gateway sends a comment at least this often.
        request.timeoutInterval = 90
        let (stream, continuation) = AsyncThrowingStream<ServerSentEvent, any Error>.makeStream()
        let reader = ServerSentEventReader(continuation, name: base)
        let session = URLSession(configuration: .ephemeral, delegate: reader, delegateQueue: nil)
        let task = session.dataTask(with: request)
        continuation.onTermination = { _ in
            task.cancel()
            session.finishTasksAndInvalidate()
        }
        task.resume()
        return stream
    }

    private func request(_ method: String, _ path: String, query: [String: String]) throws -> URLRequest {
        var components = URLComponents(string: base + path)
        if !query.isEmpty {
            components?.queryItems = query.sorted { $0.key < $1.key }.map { URLQueryItem(name: $0.key, value: $0.value) }
        }
        guard let url = components?.url else { throw CommandError("\(Text.shown(base + path)): not a URL") }
        var request = URLRequest(url: url)
        request.httpMethod = method
        if let apiKey { request.setValue("Bearer \(apiKey)", forHTTPHeaderField: "Authorization") }
        return request
    }

    private func unreachable(_ error: any Error) -> CommandError {
        CommandError("\(base): cannot be reached (\(Text.shown(error.localizedDescription))); is `leyden run` running?")
    }

    /// RFC 9457 in one line.
    static func problem(_ status: Int, _ data: Data) -> CommandError {
        let object = JSONObject(data)
        var parts = ["\(status)"]
        for key in ["code", "title", "detail"] { if let text = object?.text(key) { parts.append(Text.shown(text)) } }
        if let field = object?.text("field") { parts.append("(field \(Text.shown(field)))") }
        if status == 401 { parts.append("; give an API key in LEYDEN_API_KEY or with --api-key-file") }
        return CommandError(parts.joined(separator: " "))
    }
}
