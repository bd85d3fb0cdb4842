internal import Bolt
public import Keys
internal import LND
public import Ledger
public import Logging
public import Loop
public import Payments
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
    let history: EventHistory
    private let retention: Retention
    private(set) var states: InvoiceStates!
    private(set) var publisher: Publisher!
    private let screening: Screening
    private let logger: Logger
    private var machine: PaymentMachine<LibCrypto>
    /// The machine has been given what the store knows; before that nothing that is offered can be judged.
    private var isRestored = false
    private(set) var isResigning = false
    /// What an answer needs, for every HTLC that is held.
    private var held: [CircuitKey: Held] = [:]
    private var replies: [RequestID: @LoopActor (Reply) -> Void] = [:]
    private var nextRequest: UInt64 = 0
    private var ticks: Timer?
    private var sweeps: Timer?
    private(set) var epoch: String?
    /// The database was restored under this process, which has to begin anew.
    public var onRestored: (@LoopActor () -> Void)?
    /// Told once, before the first event: up to which offset everything belongs to the past.
    public var onBegin: (@LoopActor (Int64) -> Void)?
    /// When the first of the events was committed that are still to be published.
    private var committedAt: UInt64?
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
        retention = Retention(ledger: ledger, milliseconds: settings.eventRetentionMilliseconds, logger: logger)
        let metrics = metrics
        history = EventHistory(ledger: ledger) { metrics.historyQueries += 1 }
        publisher = Publisher(ledger: ledger) { [weak self] events in self?.published(events) }
        states = InvoiceStates(ledger: ledger) { [weak self] in self?.head ?? 0 } asked: { metrics.historyQueries += 1 }
        leadership.onState = { [weak self] state in self?.leadershipChanged(state) }
        for node in nodes { listen(to: node) }
    }

    var now: UnixTime { UnixTime(milliseconds: Clock.wallMilliseconds) }
    public var isLeader: Bool { if case .leader = leadership.state { true } else { false } }
    public var livePayments: Int { machine.liveCount }
    /// The nodes that invoices name: connected and not draining.
    var receivingNodes: [(pubkey: PublicKey, chanID: UInt64)] {
        nodes.filter { stateName(of: $0) == LNDNode.State.receivingName }.map { ($0.pubkey, $0.virtualChannelID) }
    }
    /// The leader sees its nodes; the other processes know what it has told.
    func stateName(of node: LNDNode) -> String { isLeader ? node.state.name : board.states[node.pubkey] ?? "unknown" }
    /// The committed offset up to which readers have been told.
    public var head: Int64 { publisher.head ?? 0 }

    // MARK: Life

    /// Waits for the store, takes the lease and connects the nodes; comes back at once.
    public func start() {
        ledger.onState = { [weak self] state in self?.ledgerChanged(state) }
        ledger.onHead = { [weak self] head in if let self { publisher.heard(head, patiently: isLeader) } }
        ledger.onBatch = { [metrics] in metrics.batch(entries: $0, nanoseconds: $1) }
        ledger.start(migrates: settings.migrates)
        ticks = Timer(afterMilliseconds: 100, repeats: 100) { [weak self] in
            guard let self else { return }
            timePassed()
            if !ledger.isListening { publisher.catchUp() }
        }
        sweeps = Timer(afterMilliseconds: 1000, repeats: 1000) { [weak self] in
            self?.sweepExpired()
            self?.shareNodeStates()
            // A notification may get lost.
            self?.publisher.catchUp()
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
            ledger.close()
            done()
        }
    }

    private func ledgerChanged(_ state: Ledger.State) {
        metrics.databaseIsConnected = state == .connected
        guard state == .connected else { return }
        ledger.stream { [self] result in
            guard case .success(let position) = result else { return connectLater() }
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

    private func goOn() {
        publisher.catchUp()
        shareNodeStates()
        if settings.mayLead, !isResigning { leadership.start() }
    }

    private func shareNodeStates() {
        guard case .leader(let term) = leadership.state else { return board.read() }
        board.tell(Dictionary(nodes.map { ($0.pubkey, $0.state.name) }, uniquingKeysWith: { $1 }), term: term)
    }

    private func leadershipChanged(_ state: Leadership.State) {
        switch state {
        case .leader(let term):
            metrics.term = term
            retention.start(term: term)
            logger.info("holding the interceptor's lease", metadata: ["term": "\(term)"])
            restore()
        case .follower:
            metrics.term = nil
            retention.stop()
            for node in nodes { node.stop() }
            isRestored = false
            held = [:]
            machine = PaymentMachine(policy: settings.policy)
            for reply in replies.values { reply(.nodeAway) }
            replies = [:]
        }
    }

    private func restore() {
        let asked = leadership.state
        ledger.unresolved { [self] sets in
            // What was read under another term may be older than what that term's leader has committed.
            guard case .leader = asked, leadership.state == asked, !isRestored else { return }
            machine.restored(sets, at: now)
            isRestored = true
            for node in nodes { node.start() }
        }
    }

    // MARK: Facts

    private func listen(to node: LNDNode) {
        let key = node.pubkey
        node.onHeight = { [weak self] height in self?.run { $0.heightReached(height, at: $1) } }
        node.onOffered = { [weak self, weak node] htlc in if let node { self?.offered(htlc, by: node) } }
        node.onResolution = { [weak self] circuitKey, resolution in
            self?.held[circuitKey] = nil
            self?.run { $0.resolved(circuitKey, resolution, at: $1) }
        }
        node.onStreamLost = { [weak self] in self?.detached(key) }
        node.pendingCircuits = { [weak self] in self?.machine.unresolved(on: key) ?? [] }
        node.onConnected = { [weak self] _ in
            self?.tell(Event(.nodeConnected, .node(key, reason: nil)))
        }
        node.onDisconnected = { [weak self] problem in
            self?.tell(Event(.nodeDisconnected, .node(key, reason: problem.reason)))
        }
    }

    private func offered(_ htlc: InterceptedHTLC, by node: LNDNode) {
        guard isRestored else { return }
        let start = Clock.monotonicNanoseconds
        switch screening.judge(htlc, height: machine.height) {
        case .offer(let offer, let sharedSecret):
            held[htlc.circuitKey] = Held(paymentHash: htlc.paymentHash, sharedSecret: sharedSecret, offeredAt: start)
            run { $0.offered(offer, at: $1) }
        case .badOnion(let error):
            reject(htlc, at: node, .failBadOnion(error))
        case .failure(let message, let sharedSecret):
            reject(htlc, at: node, .fail(encrypted: FailurePacket.create(message, sharedSecret: sharedSecret, by: LibCrypto.self)))
        }
        metrics.decision.record(nanoseconds: Clock.monotonicNanoseconds - start)
    }

    /// The node takes nothing but a settlement for an HTLC that is on chain.
    private func reject(_ htlc: InterceptedHTLC, at node: LNDNode, _ answer: Answer) {
        guard !htlc.isOnChain else { return }
        metrics.count(htlc: .failed)
        _ = node.answer(htlc.circuitKey, answer)
    }

    private func detached(_ node: PublicKey) {
        for circuitKey in held.keys where circuitKey.node == node { held[circuitKey] = nil }
        machine.nodeDetached(node)
    }

    private func timePassed() {
        guard isRestored else { return }
        run { $0.timeReached($1) }
    }

    private func sweepExpired() {
        guard isRestored else { return }
        ledger.expired(before: now, limit: 500) { [weak self] result in
            guard let self, case .success(let hashes) = result, !hashes.isEmpty else { return }
            ledger.lookup(hashes) { [weak self] found in
                guard let self, isRestored else { return }
                for invoice in found where invoice.state == .open {
                    run { $0.expiryPassed(invoice.paymentHash, invoice.terms, at: $1) }
                }
            }
        }
    }

    /// Settles or cancels; the answer comes when it is durable.
    func request(_ wish: Wish, of invoice: InvoiceRecord, _ setID: SetID?, _ reply: @escaping @LoopActor (Reply) -> Void) {
        guard isRestored else { return reply(.nodeAway) }
        nextRequest += 1
        let id = RequestID(nextRequest)
        replies[id] = reply
        switch wish {
        case .settle: run { $0.settlementRequested(id, invoice.paymentHash, setID, at: $1) }
        case .cancel: run { $0.cancellationRequested(id, invoice.paymentHash, setID, terms: invoice.terms, at: $1) }
        }
    }

    enum Wish { case settle, cancel }

    private struct Held {
        var paymentHash: PaymentHash
        /// With which a failure is encrypted.
        var sharedSecret: Bytes32
        /// By the clock that never jumps, in nanoseconds.
        var offeredAt: UInt64
    }

    // MARK: Orders

    private func run(_ fact: (inout PaymentMachine<LibCrypto>, UnixTime) -> [Order]) {
        for order in fact(&machine, now) { carry(out: order) }
    }

    private func carry(out order: Order) {
        switch order {
        case .hold:
            metrics.count(htlc: .held)
        case .settle(let circuitKey, let preimage):
            metrics.count(htlc: .settled)
            if let offeredAt = held[circuitKey]?.offeredAt { metrics.settle.record(nanoseconds: Clock.monotonicNanoseconds - offeredAt) }
            answer(circuitKey) { .settle(preimage, $0.paymentHash) }
        case .fail(let circuitKey, let rejection, let amount, let height):
            metrics.count(htlc: .failed)
            answer(circuitKey) { Self.failure(rejection, $0, amount: amount, height: height) }
        case .persist(let id, let change):
            // An outcome belongs to the machine that ordered the change, and each term has a machine of its own.
            let asked = leadership.state
            commit(change, id: id) { [weak self] outcome in
                guard let self, leadership.state == asked else { return }
                run { $0.persisted(id, outcome, at: $1) }
            }
        case .withdraw(let id):
            ledger.withdraw(id)
        case .lookUp(let hash):
            let asked = leadership.state
            ledger.lookup([hash]) { [weak self] found in
                guard let self, isRestored, leadership.state == asked else { return }
                run { $0.found(hash, found.first, at: $1) }
            }
        case .reply(let id, let reply):
            replies.removeValue(forKey: id)?(reply)
        }
    }

    /// What is not held any more went with its stream, and with it the wish for an answer.
    private func answer(_ circuitKey: CircuitKey, _ make: (Held) -> Answer) {
        guard let htlc = held.removeValue(forKey: circuitKey), let node = nodes.first(where: { $0.pubkey == circuitKey.node }) else { return }
        // What became of it is told by the node.
        _ = node.answer(circuitKey, make(htlc))
    }

    private static func failure(_ rejection: Rejection, _ htlc: Held, amount: Millisatoshis, height: UInt32) -> Answer {
        guard let message = FailureMessage(rejection, amount: amount, height: height) else { return .failTemporarily }
        return .fail(encrypted: FailurePacket.create(message, sharedSecret: htlc.sharedSecret, by: LibCrypto.self))
    }

    private func tell(_ event: Event) {
        commit(Change(.tell, events: [event], time: now)) { _ in }
    }

    /// Commits, publishes what was committed, and reports. `failed` runs instead of `done` if the store will never take the
    /// change; without it that is reported as a refusal.
    func commit(
        _ change: Change, account: Int64 = 1, id: ChangeID? = nil, failed: (@LoopActor () -> Void)? = nil,
        _ done: @escaping @LoopActor (ChangeOutcome) -> Void
    ) {
        let rendered = change.events.map { EventCodec.render($0, nodeNames: nodeNames, time: change.time, by: LibCrypto.self) }
        let start = Clock.monotonicNanoseconds
        ledger.commit(CommitEntry(change: change, account: account, rendered: rendered, id: id)) { [weak self] result in
            guard let self else { return }
            metrics.commit.record(nanoseconds: Clock.monotonicNanoseconds - start)
            switch result {
            case .applied(let events):
                if committedAt == nil, !events.isEmpty { committedAt = Clock.monotonicNanoseconds }
                publisher.committed(events)
                done(.applied)
            case .repeated:
                publisher.catchUp()
                done(.repeated)
            case .refused(let stored):
                done(.refused(stored))
            case .deposed:
                leadership.deposed()
            case .withdrawn(let mayBeStored):
                done(.withdrawn(mayBeStored: mayBeStored))
            case .failed(let sqlState, let stored):
                logger.critical("the store can never take a change", metadata: ["sqlstate": "\(sqlState)"])
                if let failed { failed() } else { done(.refused(stored)) }
            }
        }
    }

    private func published(_ events: [PublishedEvent]) {
        metrics.events += events.count
        history.published(events)
        let committedAt = committedAt
        self.committedAt = nil
        onEvents?(events)
        // What is published is written at the end of this turn, before this.
        LoopActor.atEndOfTurn { [metrics] in
            if let committedAt { return metrics.eventLag.record(nanoseconds: Clock.monotonicNanoseconds - committedAt, times: events.count) }
            let now = Clock.wallMilliseconds
            for event in events { metrics.eventLag.record(Double(max(0, now - event.time.milliseconds)) / 1000) }
        }
    }
}
