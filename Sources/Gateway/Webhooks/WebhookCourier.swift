internal import Delivery
internal import Keys
internal import Ledger
internal import Logging
internal import Loop
internal import Payments
internal import Webhooks

/// Delivers events to the endpoints of all accounts while this process leads: tells each endpoint's machine the facts and
/// carries its orders out.
///
/// Nothing here is on the way of a commit: events arrive after it, and each costs a look at its own account's endpoints.
@LoopActor
final class WebhookCourier {
    /// How many read the log at once.
    private static let maximumReading = 16
    /// Who takes longer for an answer may take longer still, and must leave places to the others.
    private static let slowMilliseconds: UInt64 = 1_000

    private struct Place {
        var endpoint: WebhookEndpoint
        var machine: EndpointMachine
        var typeFilter: [EventType]
        var isSlow = false
    }

    private let ledger: Ledger
    private let history: EventHistory
    private let secrets: WebhookSecrets
    private let settings: WebhookSettings
    private let metrics: Metrics
    private let logger: Logger

    private var term: Int64?
    /// Grows with each term, so that answers to questions of an earlier one are not taken for its own.
    private var life = 0
    private var places: [String: Place] = [:]
    private var accounts: [Int64: Set<String>] = [:]
    private var version: Int64 = 0
    private var isLoading = false
    private var readers = Rotation<Int64, [(id: String, after: Int64)]>()
    private var reading = 0
    /// Of the term that runs.
    private var journal: WebhookJournal?
    private var dispatch: WebhookDispatch!
    private var ticks: Timer?
    private var sweeps: Timer?
    private var random = SystemRandomNumberGenerator()

    init(
        ledger: Ledger, history: EventHistory, client: OutboundClient, secrets: WebhookSecrets, settings: WebhookSettings, metrics: Metrics,
        logger: Logger
    ) {
        self.ledger = ledger
        self.history = history
        self.secrets = secrets
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        dispatch = WebhookDispatch(client: client) { [weak self] in
            self?.request($0)
        } ended: { [weak self] in
            self?.ended($0, $1, milliseconds: $2)
        }
    }

    private var now: UnixTime { UnixTime(milliseconds: Clock.wallMilliseconds) }

    /// Endpoints that are known, and requests under way.
    var load: (endpoints: Int, underWay: Int) { (places.count, dispatch.underWay) }

    // MARK: Life

    func start(term: Int64) {
        stop()
        self.term = term
        life += 1
        journal = WebhookJournal(ledger: ledger, term: term, logger: logger) { [weak self] in self?.places[$0]?.machine.progress }
        ticks = Timer(afterMilliseconds: 1, repeats: 500) { [weak self] in self?.tick() }
        sweeps = Timer(afterMilliseconds: 30_000, repeats: 30_000) { [weak self] in self?.sweep() }
    }

    /// What is under way ends by itself; its outcome is not stored any more, so whoever leads next sends it again.
    func stop() {
        term = nil
        ticks?.cancel()
        sweeps?.cancel()
        journal = nil
        dispatch.clear()
        places = [:]
        accounts = [:]
        version = 0
        isLoading = false
        readers = Rotation()
        reading = 0
    }

    /// Endpoints were changed, or deliveries asked for again: here, or by another process.
    func endpointsChanged() {
        guard term != nil, !isLoading else { return }
        isLoading = true
        let life = life
        ledger.webhooks(changedAfter: version) { [self] result in
            guard life == self.life, term != nil else { return }
            isLoading = false
            guard case .success(let records) = result else { return }
            for record in records {
                version = max(version, record.version)
                changed(record)
            }
            // There may be more than one answer holds.
            if records.count >= 1000 { endpointsChanged() }
        }
    }

    private func changed(_ record: WebhookEndpointRecord) {
        if record.isDeleted {
            places[record.id] = nil
            journal?.knows(record.id, nil)
            accounts[record.account]?.remove(record.id)
            return
        }
        let endpoint = WebhookEndpoint(record, secrets: secrets)
        let types = endpoint.selection.types
        guard var place = places[record.id] else {
            let machine = EndpointMachine(
                progress: record.progress, isEnabled: record.disabledReason == nil, concurrency: Int(record.concurrency),
                nextRetryAt: record.nextAttemptAt)
            places[record.id] = Place(endpoint: endpoint, machine: machine, typeFilter: types)
            journal?.knows(record.id, record.progress)
            accounts[record.account, default: []].insert(record.id)
            return run(record.id) { $0.timeReached($1) }
        }
        place.endpoint = endpoint
        place.typeFilter = types
        place.machine.concurrency = max(1, Int(record.concurrency))
        if record.disabledReason != nil { place.machine.disabled() }
        places[record.id] = place
        // It may have been disabled here since the record was read.
        if record.disabledReason == nil, journal?.isDisabling(record.id) == false { run(record.id) { $0.enabled(at: $1) } }
        run(record.id) { $0.wanted(nextAt: record.nextAttemptAt, at: $1) }
    }

    /// The publisher's events, all of them, in order.
    func published(_ events: [PublishedEvent]) {
        guard term != nil, !accounts.isEmpty, let last = events.last else { return }
        var byAccount: [Int64: [PublishedEvent]] = [:]
        for event in events where accounts[event.account] != nil { byAccount[event.account, default: []].append(event) }
        for (account, events) in byAccount {
            for id in accounts[account] ?? [] {
                guard let selection = places[id]?.endpoint.selection else { continue }
                run(id) { $0.published(events.filter { selection.admits($0.type) }, through: last.offset, at: $1) }
            }
        }
    }

    private func tick() {
        endpointsChanged()
        if journal?.isFull == false { for id in places.keys { run(id) { $0.timeReached($1) } } }
        journal?.write()
    }

    /// An endpoint that nothing happens for still comes along, or the log would be dropped under its cursor.
    private func sweep() {
        guard let head = history.head else { return }
        for id in places.keys { places[id]?.machine.passed(head) }
        journal?.bringUpToDate(places.keys)
        prune()
    }

    private func prune() {
        ledger.pruneDeliveries { [weak self] result in
            if case .success(true) = result, self?.term != nil { self?.prune() }
        }
    }

    // MARK: Orders

    private func run(_ id: String, _ fact: (inout EndpointMachine, UnixTime) -> [DeliveryOrder]) {
        guard places[id] != nil else { return }
        // In place: the machine holds much that would be copied.
        let orders = fact(&places[id]!.machine, now)
        for order in orders { carryOut(order, for: id) }
    }

    private func carryOut(_ order: DeliveryOrder, for id: String) {
        guard let place = places[id], let journal else { return }
        let account = place.endpoint.record.account
        switch order {
        case .read(let after):
            readers.change(account, default: []) { $0.append((id, after)) }
            readNext()
        case .loadRetries(let limit): loadRetries(id, limit)
        case .send(let attempt):
            let isDoubtful = attempt.isRetry || place.isSlow || place.machine.isFailing
            dispatch.add(.init(account: account, endpoint: id, attempt: attempt, isDoubtful: isDoubtful))
        case .record(let record): journal.note(record, of: id)
        case .bringForward: journal.bringForward(id)
        case .disable(let reason):
            logger.warning("a webhook endpoint is disabled", metadata: ["endpoint": "\(id)", "reason": "\(reason.rawValue)"])
            journal.disable(id, reason)
        }
    }

    private func readNext() {
        while reading < Self.maximumReading {
            guard let (id, after) = readers.serve({ _, mine in (mine.removeFirst(), mine.isEmpty) }) else { return }
            guard let place = places[id] else { continue }
            reading += 1
            let life = life
            let filter = EventFilter(account: place.endpoint.record.account, types: place.typeFilter)
            let limit = EventHistory.maximumLimit
            history.events(filter, after: after, limit: limit) { [self] result in
                guard life == self.life, term != nil else { return }
                reading -= 1
                switch result {
                case .failure: run(id) { machine, _ in machine.readFailed(); return [] }
                case .success(let past):
                    if after + 1 < past.first {
                        logger.warning("events were dropped before a webhook endpoint took them", metadata: ["endpoint": "\(id)", "after": "\(after)"])
                    }
                    let isComplete = past.events.count < limit
                    let through = isComplete ? past.head : past.events.last?.offset ?? past.head
                    run(id) { $0.read(past.events, through: through, isComplete: isComplete, at: $1) }
                }
                readNext()
            }
        }
    }

    private func loadRetries(_ id: String, _ limit: Int) {
        let life = life
        // What has just been recorded has to be seen by the question.
        journal?.afterwards { [weak self] in
            guard let self, life == self.life, term != nil else { return }
            askForRetries(id, limit)
        }
    }

    private func askForRetries(_ id: String, _ limit: Int) {
        let life = life
        ledger.waitingDeliveries(id, limit: limit + 1) { [self] result in
            guard life == self.life, term != nil else { return }
            guard case .success(let waiting) = result else { return run(id) { machine, now in machine.loadFailed(at: now); return [] } }
            let now = now
            let due = waiting.prefix(limit).filter { $0.nextAttemptAt <= now }
            for lost in due where !lost.isKept {
                let record = DeliveryRecord(
                    offset: lost.event.offset, eventID: lost.event.id, type: lost.event.type, state: .failed, attempt: lost.attempts,
                    reason: "the log does not hold the event any more", attemptedAt: now)
                journal?.note(record, of: id)
            }
            let next = waiting.dropFirst(due.count).first?.nextAttemptAt
            run(id) { $0.loaded(due.filter(\.isKept).map { DueDelivery(event: $0.event, attempts: $0.attempts) }, nextAt: next, at: $1) }
        }
    }

    // MARK: Requests

    private func request(_ entry: AttemptQueue.Entry) -> OutboundRequest? {
        guard let place = places[entry.endpoint] else { return nil }
        let offset = entry.attempt.event.offset
        // It may have been disabled while this waited for its place.
        guard place.machine.isEnabled else {
            run(entry.endpoint) { machine, now in machine.withdrawn(offset, at: now); return [] }
            return nil
        }
        let request = place.endpoint.request(entry.attempt.event, at: now, timeoutMilliseconds: settings.timeoutMilliseconds)
        if request == nil {
            run(entry.endpoint) { $0.ended(offset, .failed(status: nil, reason: "the URL cannot be called", retryAfter: nil), jitter: 0, at: $1) }
        }
        return request
    }

    private func ended(_ entry: AttemptQueue.Entry, _ answer: OutboundAnswer, milliseconds: UInt64) {
        let verdict = Verdict(answer, at: now)
        let jitter = Double.random(in: 0..<1, using: &random)
        places[entry.endpoint]?.isSlow = milliseconds > Self.slowMilliseconds
        var outcome = WebhookOutcome.retried
        run(entry.endpoint) { machine, now in
            let orders = machine.ended(entry.attempt.event.offset, verdict, jitter: jitter, at: now)
            for case .record(let record) in orders {
                switch record.state {
                case .delivered: outcome = .delivered
                case .waiting: outcome = .retried
                case .failed: outcome = .failed
                }
            }
            return orders
        }
        metrics.webhooks[outcome, default: 0] += 1
    }
}
