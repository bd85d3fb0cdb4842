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
    /// Requests under way at once, to all endpoints.
    static let maximumUnderWay = 512
    /// Those to endpoints whose last attempt failed: such may hang, and must leave places to the others.
    static let maximumDoubtful = 256
    private static let flushMilliseconds: UInt64 = 20
    private static let flushRecords = 500
    private static let maximumUnstored = 10_000
    /// How many read the log at once.
    private static let maximumReading = 16

    private struct Place {
        var endpoint: WebhookEndpoint
        var machine: EndpointMachine
        /// What was stored of the machine.
        var stored: EndpointMachine.Progress
        var typeFilter: [EventType]
    }

    private let ledger: Ledger
    private let history: EventHistory
    private let client: OutboundClient
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
    private var ready: [(id: String, attempt: DeliveryOrder.Attempt)] = []
    private var doubtful: [(id: String, attempt: DeliveryOrder.Attempt)] = []
    private var underWay = 0
    private var doubtfulUnderWay = 0
    private var readers: [(id: String, after: Int64)] = []
    private var reading = 0
    private var unstored = WebhookProgress()
    private var isStoring = false
    /// Questions that have to see what is being stored.
    private var loads: [(id: String, limit: Int)] = []
    private var flushTimer: Timer?
    private var ticks: Timer?
    private var sweeps: Timer?
    private var random = SystemRandomNumberGenerator()

    init(
        ledger: Ledger, history: EventHistory, client: OutboundClient, secrets: WebhookSecrets, settings: WebhookSettings, metrics: Metrics,
        logger: Logger
    ) {
        self.ledger = ledger
        self.history = history
        self.client = client
        self.secrets = secrets
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
    }

    private var now: UnixTime { UnixTime(milliseconds: Clock.wallMilliseconds) }

    /// Endpoints that are known, and requests under way.
    var load: (endpoints: Int, underWay: Int) { (places.count, underWay) }

    // MARK: Life

    func start(term: Int64) {
        stop()
        self.term = term
        life += 1
        ticks = Timer(afterMilliseconds: 1, repeats: 500) { [weak self] in self?.tick() }
        sweeps = Timer(afterMilliseconds: 30_000, repeats: 30_000) { [weak self] in self?.sweep() }
    }

    /// What is under way ends by itself; its outcome is not stored any more, so whoever leads next sends it again.
    func stop() {
        term = nil
        ticks?.cancel()
        sweeps?.cancel()
        flushTimer?.cancel()
        flushTimer = nil
        places = [:]
        accounts = [:]
        version = 0
        isLoading = false
        ready = []
        doubtful = []
        readers = []
        reading = 0
        unstored = WebhookProgress()
        isStoring = false
        loads = []
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
            accounts[record.account]?.remove(record.id)
            return
        }
        let endpoint = WebhookEndpoint(record, secrets: secrets)
        let types = endpoint.selection.types
        guard var place = places[record.id] else {
            let machine = EndpointMachine(
                progress: record.progress, isEnabled: record.disabledReason == nil, concurrency: Int(record.concurrency),
                nextRetryAt: record.nextAttemptAt)
            places[record.id] = Place(endpoint: endpoint, machine: machine, stored: record.progress, typeFilter: types)
            accounts[record.account, default: []].insert(record.id)
            return run(record.id) { $0.timeReached($1) }
        }
        place.endpoint = endpoint
        place.typeFilter = types
        place.machine.concurrency = max(1, Int(record.concurrency))
        if record.disabledReason != nil { place.machine.disabled() }
        places[record.id] = place
        if record.disabledReason == nil { run(record.id) { $0.enabled(at: $1) } }
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
        guard unstored.records.count < Self.maximumUnstored else { return flush() }
        for id in places.keys { run(id) { $0.timeReached($1) } }
        flush()
    }

    /// An endpoint that nothing happens for still comes along, or the log would be dropped under its cursor.
    private func sweep() {
        guard let head = history.head else { return }
        for id in places.keys {
            places[id]?.machine.passed(head)
            if let place = places[id], place.machine.progress != place.stored { unstored.endpoints[id] = place.machine.progress }
        }
        flush()
        ledger.pruneDeliveries { _ in }
    }

    // MARK: Orders

    private func run(_ id: String, _ fact: (inout EndpointMachine, UnixTime) -> [DeliveryOrder]) {
        guard var machine = places[id]?.machine else { return }
        let orders = fact(&machine, now)
        places[id]?.machine = machine
        for order in orders { carryOut(order, for: id) }
    }

    private func carryOut(_ order: DeliveryOrder, for id: String) {
        switch order {
        case .read(let after):
            readers.append((id, after))
            readNext()
        case .loadRetries(let limit): loadRetries(id, limit)
        case .send(let attempt):
            if attempt.isRetry || places[id]?.machine.isFailing ?? false { doubtful.append((id, attempt)) } else { ready.append((id, attempt)) }
            sendNext()
        case .record(let record):
            unstored.records.append((id, record))
            store(id)
        case .bringForward:
            unstored.broughtForward.insert(id)
            store(id)
        case .disable(let reason):
            logger.warning("a webhook endpoint is disabled", metadata: ["endpoint": "\(id)", "reason": "\(reason.rawValue)"])
            unstored.disabled[id] = reason
            store(id)
        }
    }

    private func readNext() {
        while reading < Self.maximumReading, !readers.isEmpty {
            let (id, after) = readers.removeFirst()
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
        // What has just been recorded has to be seen by the question.
        if isStoring || !unstored.isEmpty {
            loads.append((id, limit))
            return flush()
        }
        let life = life
        ledger.waitingDeliveries(id, limit: limit + 1) { [self] result in
            guard life == self.life, term != nil else { return }
            guard case .success(let waiting) = result else { return run(id) { machine, now in machine.loadFailed(at: now); return [] } }
            let now = now
            let due = waiting.prefix(limit).filter { $0.nextAttemptAt <= now }
            for lost in due where !lost.isKept {
                unstored.records.append((id, DeliveryRecord(
                    offset: lost.event.offset, eventID: lost.event.id, type: lost.event.type, state: .failed, attempt: lost.attempts,
                    reason: "the log does not hold the event any more", attemptedAt: now)))
                store(id)
            }
            let next = waiting.dropFirst(due.count).first?.nextAttemptAt
            run(id) { $0.loaded(due.filter(\.isKept).map { DueDelivery(event: $0.event, attempts: $0.attempts) }, nextAt: next, at: $1) }
        }
    }

    // MARK: Requests

    private func sendNext() {
        while underWay < Self.maximumUnderWay {
            if !doubtful.isEmpty, doubtfulUnderWay < Self.maximumDoubtful {
                let (id, attempt) = doubtful.removeFirst()
                send(attempt, to: id, isDoubtful: true)
            } else if !ready.isEmpty {
                let (id, attempt) = ready.removeFirst()
                send(attempt, to: id, isDoubtful: false)
            } else { return }
        }
    }

    private func send(_ attempt: DeliveryOrder.Attempt, to id: String, isDoubtful: Bool) {
        guard let endpoint = places[id]?.endpoint else { return }
        guard let request = endpoint.request(attempt.event, at: now, timeoutMilliseconds: settings.timeoutMilliseconds) else {
            return run(id) { $0.ended(attempt.event.offset, .failed(status: nil, reason: "the URL cannot be called", retryAfter: nil), jitter: 0, at: $1) }
        }
        underWay += 1
        if isDoubtful { doubtfulUnderWay += 1 }
        let life = life
        client.send(request) { [self] answer in
            underWay -= 1
            if isDoubtful { doubtfulUnderWay -= 1 }
            if life == self.life, term != nil { ended(attempt, at: id, answer) }
            sendNext()
        }
    }

    private func ended(_ attempt: DeliveryOrder.Attempt, at id: String, _ answer: OutboundAnswer) {
        let verdict = Verdict(answer, at: now)
        let jitter = Double.random(in: 0..<1, using: &random)
        var outcome = WebhookOutcome.retried
        run(id) { machine, now in
            let orders = machine.ended(attempt.event.offset, verdict, jitter: jitter, at: now)
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

    // MARK: The store

    private func store(_ id: String) {
        if let progress = places[id]?.machine.progress { unstored.endpoints[id] = progress }
        if unstored.records.count >= Self.flushRecords { return flush() }
        guard flushTimer == nil else { return }
        flushTimer = Timer(afterMilliseconds: Self.flushMilliseconds) { [weak self] in
            self?.flushTimer = nil
            self?.flush()
        }
    }

    /// What could not be stored is kept and stored later: until then the log and the cursor in it say what has to be sent.
    private func flush() {
        guard let term, !isStoring, !unstored.isEmpty else { return }
        // Where the way has come meanwhile.
        for id in unstored.endpoints.keys { if let place = places[id] { unstored.endpoints[id] = place.machine.progress } }
        let batch = unstored
        unstored = WebhookProgress()
        isStoring = true
        let life = life
        ledger.store(batch, term: term) { [self] result in
            guard life == self.life, self.term != nil else { return }
            isStoring = false
            switch result {
            case .success:
                for (id, progress) in batch.endpoints { places[id]?.stored = progress }
                if unstored.isEmpty {
                    let waiting = loads
                    loads = []
                    for (id, limit) in waiting { loadRetries(id, limit) }
                } else if !unstored.records.isEmpty || !loads.isEmpty { flush() }
            case .failure(let error):
                logger.warning("deliveries of webhooks are not stored yet", metadata: ["reason": "\(error)"])
                var again = batch
                again.add(unstored)
                unstored = again
            }
        }
    }
}
