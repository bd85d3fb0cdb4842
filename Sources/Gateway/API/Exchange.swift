internal import Edge
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

/// One request and the right to answer it, with what every answer has in common.
@LoopActor
final class Exchange {
    typealias Step = @LoopActor (HTTPResponse, _ go: @escaping @LoopActor (HTTPResponse) -> Void) -> Void

    let request: HTTPRequest
    private let responder: HTTPResponder
    private var steps: [Step] = []
    /// Of the log that the answer tells of.
    var epoch: String?
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
    /// Whether the answer waits until the audit log has its row.
    var waitsForAudit = true

    init(request: HTTPRequest, responder: HTTPResponder) {
        self.request = request
        self.responder = responder
    }

    /// Whether the client still waits.
    var isOpen: Bool { responder.isOpen }

    /// Something that has to be done with the answer before it leaves, and may put another in its place. What was given last runs first.
    func beforeAnswer(_ step: @escaping Step) { steps.append(step) }

    func respond(_ json: [UInt8], status: Int = 200) { send(.json(json, status: status)) }

    func respond(_ bytes: [UInt8], contentType: String, headers: [HTTPResponse.Header] = []) {
        send(HTTPResponse(status: 200, contentType: contentType, headers: headers, body: bytes))
    }

    /// The answer that this request has had before.
    func `repeat`(_ response: HTTPResponse) { send(response) }

    func refuse(_ problem: Problem) {
        send(HTTPResponse(refusing: problem))
    }

    func stream() -> EventStream {
        responder.stream(limits + epochField)
    }

    func whenClosed(_ body: @escaping @LoopActor () -> Void) { responder.onClose = body }

    /// A whole number of the query within the range; `nil` if it is there and is none.
    func number(_ name: String, default standard: Int64, in range: ClosedRange<Int64>) -> Int64? {
        guard let text = request.query[name] else { return standard }
        return Self.number(text, in: range)
    }

    /// Digits and nothing else.
    static func number(_ text: String, in range: ClosedRange<Int64>) -> Int64? {
        guard let value = Int64(text), range.contains(value), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return value
    }

    private func send(_ response: HTTPResponse) {
        guard let step = steps.popLast() else {
            var response = response
            response.headers.append(.init("cache-control", "no-store"))
            response.headers += limits + epochField
            return responder.respond(response)
        }
        step(response) { [self] in send($0) }
    }

    private var limits: [HTTPResponse.Header] { quota?.fields.map { .init($0.name, $0.value) } ?? [] }

    /// The first name of the query that is not known or stands twice: a filter that is passed over shows too much.
    func strangeParameter(known: (String) -> Bool) -> String? {
        var seen: Set<String> = []
        return request.query.items.first { !known($0.name) || !seen.insert($0.name).inserted }?.name
    }

    /// A time of the query; `nil` if it is there and is none.
    func time(_ name: String, default standard: UnixTime? = nil) -> UnixTime?? {
        guard let text = request.query[name] else { return .some(standard) }
        return RFC3339.time(text).map { .some($0) }
    }

    /// A `next` of an earlier page; `nil` if it is there and is none.
    func cursor() -> PageCursor?? {
        guard let text = request.query["after"] else { return .some(nil) }
        return PageCursor(text).map { .some($0) }
    }

    private var epochField: [HTTPResponse.Header] { epoch.map { [.init("leyden-epoch", $0)] } ?? [] }
}

extension HTTPResponse {
    init(refusing problem: Problem) {
        let problem = problem.timed
        var headers: [Header] = []
        if let seconds = problem.retryAfterSeconds { headers.append(.init("retry-after", "\(seconds)")) }
        if problem.status == 401 { headers.append(.init("www-authenticate", "Bearer")) }
        self.init(status: problem.status, contentType: "application/problem+json", headers: headers, body: problem.encode())
    }
}
