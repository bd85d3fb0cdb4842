internal import Edge
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

/// One request and the right to answer it, with what every answer has in common.
@LoopActor
final class Exchange {
    let request: HTTPRequest
    private let responder: HTTPResponder
    /// Of the log that the answer tells of.
    var epoch: String?
    /// Who asks with an API key, once that is known.
    var caller: Caller?
    /// By whose right a stream may be opened.
    var owner: OpenStreams.Owner?

    init(request: HTTPRequest, responder: HTTPResponder) {
        self.request = request
        self.responder = responder
    }

    /// Whether the client still waits.
    var isOpen: Bool { responder.isOpen }

    func respond(_ json: [UInt8], status: Int = 200) {
        responder.respond(.json(json, status: status, headers: common))
    }

    func respond(_ bytes: [UInt8], contentType: String, headers: [HTTPResponse.Header] = []) {
        responder.respond(HTTPResponse(status: 200, contentType: contentType, headers: common + headers, body: bytes))
    }

    func refuse(_ problem: Problem) {
        var headers = common
        if problem.status == 503 || problem.status == 429 { headers.append(.init("retry-after", "1")) }
        if problem.status == 401 { headers.append(.init("www-authenticate", "Bearer")) }
        responder.respond(HTTPResponse(status: problem.status, contentType: "application/problem+json", headers: headers, body: problem.encode()))
    }

    func stream() -> EventStream {
        responder.stream(epochField)
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

    private var common: [HTTPResponse.Header] { [.init("cache-control", "no-store")] + epochField }
    private var epochField: [HTTPResponse.Header] { epoch.map { [.init("leyden-epoch", $0)] } ?? [] }
}
