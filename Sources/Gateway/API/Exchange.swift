internal import Edge
internal import Loop
internal import Payments
internal import Wire

/// One request and the right to answer it, with what every answer has in common.
@LoopActor
final class Exchange {
    typealias Step = @LoopActor (HTTPResponse, _ go: @escaping @LoopActor () -> Void) -> Void

    let request: HTTPRequest
    private let responder: HTTPResponder
    private var steps: [Step] = []
    /// Who asks with an API key, once that is known.
    var caller: Caller?
    /// By whose right a stream may be opened.
    var owner: OpenStreams.Owner?
    /// What the key has left.
    var quota: Quota?
    /// The right to carry out a request that may come again.
    var claim: Claims.Claim?
    /// What was made, for the audit log.
    var target: String?
    /// False for what leaves no trace anywhere.
    var isAudited = true

    init(request: HTTPRequest, responder: HTTPResponder) {
        self.request = request
        self.responder = responder
    }

    /// Whether the client still waits.
    var isOpen: Bool { responder.isOpen }

    /// Something that has to be done with the answer before it leaves. What was given last runs first.
    func beforeAnswer(_ step: @escaping Step) { steps.append(step) }

    func respond(_ json: [UInt8], status: Int = 200) { send(.json(json, status: status)) }

    func respond(_ bytes: [UInt8], contentType: String) { send(HTTPResponse(status: 200, contentType: contentType, body: bytes)) }

    /// The answer that this request has had before.
    func `repeat`(_ response: HTTPResponse) { send(response) }

    func refuse(_ problem: Problem) {
        var headers: [HTTPResponse.Header] = []
        if problem.status == 503 || problem.status == 429 { headers.append(.init("retry-after", "\(quota?.retryAfterSeconds ?? 1)")) }
        if problem.status == 401 { headers.append(.init("www-authenticate", "Bearer")) }
        send(HTTPResponse(status: problem.status, contentType: "application/problem+json", headers: headers, body: problem.encode()))
    }

    func stream() -> EventStream {
        responder.stream(limits)
    }

    func whenClosed(_ body: @escaping @LoopActor () -> Void) { responder.onClose = body }

    /// A whole number of the query within the range; `nil` if it is there and is none.
    func number(_ name: String, default standard: Int64, in range: ClosedRange<Int64>) -> Int64? {
        guard let text = request.query[name] else { return standard }
        guard let value = Int64(text), range.contains(value), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return value
    }

    private func send(_ response: HTTPResponse) {
        guard let step = steps.popLast() else {
            var response = response
            response.headers.append(.init("cache-control", "no-store"))
            response.headers += limits
            return responder.respond(response)
        }
        step(response) { [self] in send(response) }
    }

    private var limits: [HTTPResponse.Header] {
        guard let quota else { return [] }
        return [
            .init("ratelimit-limit", "\(quota.limit)"), .init("ratelimit-remaining", "\(quota.remaining)"),
            .init("ratelimit-reset", "\(quota.resetSeconds)"),
        ]
    }
}
