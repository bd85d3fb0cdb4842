internal import Bolt
public import Keys
internal import LND
public import Ledger
internal import Lightning
public import Logging
public import Loop
public import Payments
internal import Webhooks
internal import Wire

/// Tells the payment machine the facts and carries its orders out.
@LoopActor
public final class PaymentGateway {
    public let settings: GatewaySettings
    let ledger: Ledger
    let identity: IdentityKey
    let nodes: [LNDNode]
    let nodeNames: [PublicKey: String]
    let metrics = Metrics()
    let leadership: Leadership
    let board: NodeBoard
    let attendance: Attendance
    let requests: LeaderRequests
    let history: EventHistory
    let courier: WebhookCourier
    let outbound: OutboundClient
    let webhookSecrets: WebhookSecrets
    let pages: EventPages
    let liquidity: NodeLiquidity
    let payouts: PayoutDesk
    private let retention: Retention
    private(set) var states: InvoiceStates!
    private(set) var publisher: Publisher!
    let screening: Screening
    let logger: Logger
    var machine: PaymentMachine<LibCrypto>
    /// The machine has been given what the store knows; before that nothing that is offered can be judged.
    var isRestored = false
    private(set) var isResigning = false
    /// What an answer needs, for every HTLC that is held.
    var held: [CircuitKey: Held] = [:]
    var replies: [RequestID: @LoopActor (Reply) -> Void] = [:]
    var nextRequest: UInt64 = 0
    var refusalBudget = RefusalBudget()
    private var ticks: Timer?
    private var sweeps: Timer?
    private var liquidityRounds = 0
    private(set) var epoch: String?
    /// The database was restored under this process, which has to begin anew.
    public var onRestored: (@LoopActor () -> Void)?
    /// Told once, before the first event: up to which offset everything belongs to the past.
    public var onBegin: (@LoopActor (Int64) -> Void)?
    /// When the first of the events was committed that are still to be published.
    var committedAt: UInt64?
    /// Gets the committed events, in order and without gaps.
    public var onEvents: (@LoopActor ([PublishedEvent]) -> Void)?

    public init(settings: GatewaySettings, identity: IdentityKey, secrets: PaymentSecrets, ledger: Ledger, logger: Logger) {
        self.settings = settings
        self.identity = identity
        self.ledger = ledger
        self.logger = logger
        machine = PaymentMachine(policy: settings.policy)
        screening = Screening(identity: identity, secrets: secrets, policy: settings.routing)
        nodes = settings.nodes.map { LNDNode(configuration: $0, hash: LibCrypto.self, logger: logger) }
        nodeNames = Dictionary(settings.nodes.map { ($0.pubkey, $0.name) }, uniquingKeysWith: { first, _ in first })
        leadership = Leadership(ledger: ledger, instance: settings.instance, leaseMilliseconds: settings.leaseMilliseconds, logger: logger)
        board = NodeBoard(ledger: ledger)
        attendance = Attendance(ledger: ledger, isRequired: settings.requiresListener)
        requests = LeaderRequests(ledger: ledger)
        retention = Retention(ledger: ledger, milliseconds: settings.eventRetentionMilliseconds, logger: logger)
        let metrics = metrics
        history = EventHistory(ledger: ledger) { metrics.historyQueries += 1 }
        webhookSecrets = WebhookSecrets(identity: identity)
        outbound = OutboundClient(rules: settings.webhooks.rules, userAgent: "Leyden/\(settings.version)")
        courier = WebhookCourier(
            ledger: ledger, history: history, client: outbound, secrets: webhookSecrets, settings: settings.webhooks, metrics: metrics, logger: logger)
        let nodes = nodes
        liquidity = NodeLiquidity(nodes: nodes) { key in nodes.contains { $0.pubkey == key && $0.state.name == LNDNode.State.receivingName } }
        payouts = PayoutDesk(
            ledger: ledger, nodes: nodes, liquidity: liquidity, nodeNames: nodeNames, policy: settings.payouts, metrics: metrics, logger: logger)
        pages = EventPages(ledger: ledger, history: history) { metrics.historyQueries += 1 }
        publisher = Publisher(ledger: ledger) { [weak self] events in self?.published(events) }
        states = InvoiceStates(ledger: ledger) { [weak self] in self?.head ?? 0 } asked: { metrics.historyQueries += 1 }
        leadership.onState = { [weak self] state in self?.leadershipChanged(state) }
        requests.term = { [weak self] in
            guard let self, isRestored, case .leader(let term) = leadership.state else { return nil }
            return term
        }
        requests.serve = { [weak self] wish, answer in self?.serve(wish, answer) }
        payouts.deposed = { [weak self] in self?.leadership.deposed() }
        for node in nodes { listen(to: node) }
    }

    var now: UnixTime { UnixTime(milliseconds: Clock.wallMilliseconds) }
    public var isLeader: Bool { if case .leader = leadership.state { true } else { false } }
    public var livePayments: Int { machine.liveCount }
    /// The nodes that invoices name: connected and not draining.
    /// The leader knows through which most can come in, and puts those first.
    var receivingNodes: [(pubkey: PublicKey, chanID: UInt64)] {
        let fit = nodes.filter { stateName(of: $0) == LNDNode.State.receivingName }
        let ordered = fit.enumerated().sorted { left, right in
            let inbound = (liquidity.inbound(left.element.pubkey), liquidity.inbound(right.element.pubkey))
            return inbound.0 == inbound.1 ? left.offset < right.offset : inbound.0 > inbound.1
        }
        return ordered.map { ($0.element.pubkey, $0.element.virtualChannelID) }
    }
    /// The leader sees its nodes; the other processes know what it has told.
    func stateName(of node: LNDNode) -> String { isLeader ? ownStateName(of: node) : board.states[node.pubkey] ?? "unknown" }

    /// A node that is connected but cannot receive says why.
    private func ownStateName(of node: LNDNode) -> String {
        let name = node.state.name
        guard name == LNDNode.State.receivingName else { return name }
        return liquidity.complaint(about: node.pubkey)?.rawValue ?? name
    }
    /// The committed offset up to which readers have been told.
    public var head: Int64 { publisher.head ?? 0 }
    /// Committed events that readers have not been told yet, as far as that is known.
    var behind: Int64 { max(0, publisher.committedHead - (publisher.head ?? publisher.committedHead)) }

    // MARK: Life

    /// Waits for the store, takes the lease and connects the nodes; comes back at once.
    public func start() {
        ledger.onState = { [weak self] state in self?.ledgerChanged(state) }
        ledger.onHead = { [weak self] head in if let self { publisher.heard(head, patiently: isLeader) } }
        ledger.onRequests = { [weak self] in self?.requests.happened() }
        ledger.onBatch = { [metrics] in metrics.batch(entries: $0, nanoseconds: $1) }
        ledger.start(migrates: settings.migrates)
        ticks = Timer(afterMilliseconds: 100, repeats: 100) { [weak self] in
            guard let self else { return }
            timePassed()
            guard !ledger.isListening else { return }
            publisher.catchUp()
            requests.happened()
        }
        sweeps = Timer(afterMilliseconds: 1000, repeats: 1000) { [weak self] in
            self?.sweepExpired()
            self?.shareNodeStates()
            if let self, isLeader { askLiquidity() }
            if let self { attendance.review(leads: isLeader) }
            // A notification may get lost.
            self?.publisher.catchUp()
            self?.requests.happened()
        }
    }

    /// Stops intercepting and gives the lease back, for good. What is held stays held at the nodes; what others commit is
    /// still published.
    public func resign(_ done: @escaping @LoopActor () -> Void) {
        isResigning = true
        for node in nodes { node.stop() }
        leadership.stop(done)
    }

    /// Resigns and leaves the store.
    public func stop(_ done: @escaping @LoopActor () -> Void) {
        resign { [self] in
            ticks?.cancel()
            sweeps?.cancel()
            outbound.close()
            ledger.close()
            done()
        }
    }

    private func ledgerChanged(_ state: Ledger.State) {
        metrics.databaseIsConnected = state == .connected
        guard state == .connected else { return }
        ledger.stream { [self] result in
            guard case .success(let position) = result else { return connectLater() }
            if let epoch, epoch != position.epoch { return foundAnotherEpoch() }
            if let known = publisher.head, position.head < known { return foundRestored(position, known: known) }
            epoch = position.epoch
            guard publisher.head == nil else { return goOn() }
            // The newest of the past are kept at hand: most clients were away for a moment only.
            ledger.newest(after: position.head - EventHistory.recentEvents, limit: Int(EventHistory.recentEvents)) { [self] result in
                guard case .success(let events) = result else { return connectLater() }
                let head = max(position.head, events.last?.offset ?? 0)
                publisher.start(at: head)
                history.start(at: head, events)
                onBegin?(head)
                goOn()
            }
        }
    }

    /// Without the position nothing begins, so it is asked for until it is known.
    private func connectLater() {
        _ = Timer(afterMilliseconds: 1000) { [weak self] in if let self, ledger.state == .connected { ledgerChanged(.connected) } }
    }

    /// The log ends before what was published here: the database was restored while this process ran. What it remembers is
    /// of another log, so it must not go on.
    private func foundRestored(_ position: StreamPosition, known: Int64) {
        logger.critical(
            "the database has gone back in time; its log gets a new epoch and this process ends",
            metadata: ["head": "\(position.head)", "published": "\(known)"])
        ledger.renewEpoch(position.epoch) { [weak self] result in
            if case .success = result { self?.onRestored?() } else { self?.connectLater() }
        }
    }

    /// Somebody else has noticed it first, or an operator has said so: the log has its new epoch, and may have grown again since.
    private func foundAnotherEpoch() {
        logger.critical("the log has another epoch than the one that was published; this process ends")
        onRestored?()
    }

    private func goOn() {
        publisher.catchUp()
        shareNodeStates()
        if settings.mayLead, !isResigning { leadership.start() }
    }

    private func askLiquidity() {
        liquidityRounds += 1
        if liquidityRounds % 5 == 0 { liquidity.refresh() }
    }

    private func shareNodeStates() {
        guard case .leader(let term) = leadership.state else { return board.read() }
        board.tell(Dictionary(nodes.map { ($0.pubkey, ownStateName(of: $0)) }, uniquingKeysWith: { $1 }), term: term)
    }

    private func leadershipChanged(_ state: Leadership.State) {
        switch state {
        case .leader(let term):
            metrics.term = term
            retention.start(term: term)
            courier.start(term: term)
            payouts.start(term: term)
            logger.info("holding the interceptor's lease", metadata: ["term": "\(term)"])
            restore()
        case .follower:
            metrics.term = nil
            retention.stop()
            courier.stop()
            payouts.stop()
            for node in nodes { node.stop() }
            isRestored = false
            held = [:]
            machine = PaymentMachine(policy: settings.policy)
            for reply in replies.values { reply(.nodeAway) }
            replies = [:]
        }
    }

    /// What was read under another term may be older than what that term's leader has committed.
    private func restore() {
        let asked = leadership.state
        let isCurrent: @LoopActor () -> Bool = { [self] in
            guard case .leader = asked else { return false }
            return leadership.state == asked && !isRestored
        }
        ledger.drainedNodes { [self] result in
            guard isCurrent() else { return }
            guard case .success(let drained) = result else {
                _ = Timer(afterMilliseconds: 1000) { [weak self] in if isCurrent() { self?.restore() } }
                return
            }
            for node in nodes { if drained.contains(node.pubkey) { node.drain() } else { node.resume() } }
            attendance.read { [self] in
                ledger.unresolved { [self] sets in
                    guard isCurrent() else { return }
                    machine.restored(sets, at: now)
                    isRestored = true
                    for node in nodes { node.start() }
                    requests.happened()
                }
            }
        }
    }

    enum Wish { case settle, cancel }

    struct Held {
        var paymentHash: PaymentHash
        /// With which a failure is encrypted.
        var sharedSecret: Bytes32
        /// By the clock that never jumps, in nanoseconds.
        var offeredAt: UInt64
        var htlc: HeldHTLC
        /// Whether its invoice has a row.
        var isStored: Bool
    }
}
