internal import Delivery
internal import Ledger
internal import Logging
internal import Loop

/// What deliveries have come to in one term, on its way into the database.
///
/// It is written together, a little later. What cannot be written is kept: until then the log and the cursor in it say what has to be
/// sent, so whoever leads next sends it again.
@LoopActor
final class WebhookJournal {
    private static let pauseMilliseconds: UInt64 = 20
    private static let batch = 500
    private static let mostWaiting = 10_000

    private let logger: Logger
    private let rows: Piecemeal<WebhookProgress>
    /// How far an endpoint has come by now.
    private let progress: @LoopActor (String) -> EndpointMachine.Progress?
    private var waiting = WebhookProgress()
    /// What is being written.
    private var writing: WebhookProgress?
    private var written: [String: EndpointMachine.Progress] = [:]
    /// Who has to see what waits.
    private var questions: [@LoopActor () -> Void] = []
    private var timer: Timer?

    init(ledger: Ledger, term: Int64, logger: Logger, progress: @escaping @LoopActor (String) -> EndpointMachine.Progress?) {
        self.logger = logger
        self.progress = progress
        rows = Piecemeal {
            $0.pieces
        } write: { progress, done in
            ledger.store(progress, term: term, completion: done)
        } refused: { piece, state, reason in
            let endpoint = piece.records.first?.endpoint ?? piece.endpoints.keys.first ?? ""
            let offset = piece.records.first.map { "\($0.record.offset)" } ?? "none"
            logger.critical("the log of deliveries does not take a row", metadata: [
                "endpoint": "\(endpoint)", "offset": "\(offset)", "sqlstate": "\(state)", "reason": "\(reason)",
            ])
        }
    }

    isolated deinit { timer?.cancel() }

    /// So much waits that nothing more should be begun.
    var isFull: Bool { waiting.records.count >= Self.mostWaiting }

    /// What the database says of the endpoint.
    func knows(_ endpoint: String, _ progress: EndpointMachine.Progress?) { written[endpoint] = progress }

    /// Whether it was disabled by what is not written yet: what the database said before means nothing.
    func isDisabling(_ endpoint: String) -> Bool { waiting.disabled[endpoint] != nil || writing?.disabled[endpoint] != nil }

    func note(_ record: DeliveryRecord, of endpoint: String) {
        waiting.records.append((endpoint, record))
        noted(endpoint)
    }

    func bringForward(_ endpoint: String) {
        waiting.broughtForward.insert(endpoint)
        noted(endpoint)
    }

    func disable(_ endpoint: String, _ reason: DisabledReason) {
        waiting.disabled[endpoint] = reason
        noted(endpoint)
    }

    /// Endpoints to which nothing happens come along too.
    func bringUpToDate(_ endpoints: some Sequence<String>) {
        for id in endpoints { if let progress = progress(id), progress != written[id] { waiting.endpoints[id] = progress } }
        write()
    }

    /// Runs the body when all that was noted so far can be read.
    func afterwards(_ body: @escaping @LoopActor () -> Void) {
        guard writing != nil || !waiting.isEmpty else { return body() }
        questions.append(body)
        write()
    }

    private func noted(_ endpoint: String) {
        if let progress = progress(endpoint) { waiting.endpoints[endpoint] = progress }
        if waiting.records.count >= Self.batch { return write() }
        guard timer == nil else { return }
        timer = Timer(afterMilliseconds: Self.pauseMilliseconds) { [weak self] in
            self?.timer = nil
            self?.write()
        }
    }

    func write() {
        guard writing == nil, !waiting.isEmpty || !questions.isEmpty else { return }
        // Those that come later have to see more than this.
        let asked = questions
        questions = []
        guard !waiting.isEmpty else { return asked.forEach { $0() } }
        for id in waiting.endpoints.keys { if let progress = progress(id) { waiting.endpoints[id] = progress } }
        let batch = waiting
        waiting = WebhookProgress()
        writing = batch
        rows.store(batch) { [self] left, error in
            writing = nil
            if let error {
                logger.warning("deliveries of webhooks are not stored yet", metadata: ["reason": "\(error)"])
                var again = left.reduce(into: WebhookProgress()) { $0.add($1) }
                again.add(waiting)
                waiting = again
                questions = asked + questions
                return
            }
            for (id, progress) in batch.endpoints { written[id] = progress }
            for question in asked { question() }
            if !waiting.records.isEmpty || !questions.isEmpty { write() }
        }
    }
}
