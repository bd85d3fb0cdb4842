internal import Keys
internal import Ledger
internal import Lightning
internal import Logging
internal import Loop
internal import Payments
internal import Wire

/// Carries payouts out while this process leads: tells each one's machine the facts and carries its orders out.
///
/// Whoever makes a payout writes it; the leader hears of it from its event, or finds it when it looks for what has not ended.
@LoopActor
final class PayoutDesk {
    private struct Place {
        var machine: PayoutMachine
        /// When the change was handed to the store that is being written, by both clocks.
        var orderedAt: (steady: Int64, wall: Int64) = (0, 0)
    }

    private static let pageLimit = 500

    private let ledger: Ledger
    private let nodes: [any LightningNode]
    private let liquidity: NodeLiquidity
    private let nodeNames: [PublicKey: String]
    private let policy: PayoutPolicy
    private let logger: Logger
    private let metrics: Metrics
    private var term: Int64?
    /// Grows with each term, so that answers to what an earlier one has asked are not taken for its own.
    private var life = 0
    private var places: [PayoutID: Place] = [:]
    /// What was set aside for payouts under way, by node.
    private var reserved: [PublicKey: Millisatoshis] = [:]
    private var ticks: Timer?
    private var sweeps: Timer?
    private let startedAt = (steady: Clock.monotonicNanoseconds, wall: Clock.wallMilliseconds)
    /// The store says that another process leads.
    var deposed: (@LoopActor () -> Void)?

    init(
        ledger: Ledger, nodes: [any LightningNode], liquidity: NodeLiquidity, nodeNames: [PublicKey: String], policy: PayoutPolicy, metrics: Metrics,
        logger: Logger
    ) {
        self.ledger = ledger
        self.nodes = nodes
        self.liquidity = liquidity
        self.nodeNames = nodeNames
        self.policy = policy
        self.metrics = metrics
        self.logger = logger
    }

    /// The wall's time when this process began, and from there on by the clock that never jumps.
    private var now: UnixTime {
        UnixTime(milliseconds: startedAt.wall + Int64((Clock.monotonicNanoseconds - startedAt.steady) / 1_000_000))
    }

    /// Payouts under way here.
    var load: Int { places.count }

    // MARK: Life

    func start(term: Int64) {
        stop()
        self.term = term
        ticks = Timer(afterMilliseconds: 100, repeats: 100) { [weak self] in self?.tick() }
        sweeps = Timer(afterMilliseconds: 1, repeats: 10_000) { [weak self] in self?.loadUnfinished(after: 0) }
    }

    /// Lets go of everything; whoever leads next asks the nodes what became of it. Calls to nodes go on unheard.
    func stop() {
        term = nil
        life += 1
        ticks?.cancel()
        sweeps?.cancel()
        places = [:]
        reserved = [:]
    }

    /// The publisher's events: those of payouts that were made anywhere.
    func published(_ events: [PublishedEvent]) {
        guard term != nil else { return }
        for event in events where event.type == .paymentCreated {
            guard let data = try? JSONReader.read(Array(event.data.utf8)), let id = data["id"]?.text else { continue }
            let payout = PayoutID(id)
            if places[payout] == nil { load(payout) }
        }
    }

    func nodeReturned(_ node: PublicKey) {
        for id in places.keys { run(id) { $0.nodeReturned(node, at: $1) } }
    }

    private func tick() {
        for id in places.keys { run(id) { $0.timeReached($1) } }
    }

    private func loadUnfinished(after number: Int64) {
        let life = life
        ledger.unfinishedPayouts(after: number, limit: Self.pageLimit) { [self] result in
            guard life == self.life, case .success(let page) = result else { return }
            for payout in page.payouts { takeUp(payout) }
            if let next = page.next { loadUnfinished(after: next) }
        }
    }

    private func load(_ id: PayoutID) {
        let life = life
        ledger.payout(id) { [self] result in
            guard life == self.life else { return }
            switch result {
            case .success(let payout?): takeUp(payout)
            case .success(nil): break
            // Looking for what has not ended finds it.
            case .failure: break
            }
        }
    }

    func takeUp(_ payout: Payout) {
        guard term != nil, places[payout.intent.id] == nil, !payout.state.isFinal else { return }
        if payout.isUnderWay, let node = payout.node { reserved[node, default: .zero] += payout.intent.reserve }
        places[payout.intent.id] = Place(machine: PayoutMachine(payout, policy: policy, at: now))
        run(payout.intent.id) { $0.takenUp(at: $1) }
    }

    // MARK: Orders

    private func run(_ id: PayoutID, _ fact: (inout PayoutMachine, UnixTime) -> [PayoutOrder]) {
        guard var machine = places[id]?.machine else { return }
        let before = machine.payout
        let orders = fact(&machine, now)
        places[id]?.machine = machine
        account(before, machine.payout)
        for order in orders { carryOut(order, id) }
        if machine.isOver { places[id] = nil }
    }

    private func carryOut(_ order: PayoutOrder, _ id: PayoutID) {
        guard let place = places[id] else { return }
        let intent = place.machine.payout.intent
        switch order {
        case .choose(let tried):
            let choice = liquidity.choose(intent, excluding: tried, reserved: reserved)
            run(id) { $0.chose(choice.node, mayChange: choice.mayChange, at: $1) }
        case .commit(let change):
            places[id]?.orderedAt = (now.milliseconds, Clock.wallMilliseconds)
            // The event tells the payout as it will be. That another node may be tried is not told: the next attempt is.
            var event: RenderedEvent?
            if case .retry = change.step {} else if let next = place.machine.payout.applying(change) {
                event = PayoutCodec.event(next, nodeNames: nodeNames, by: LibCrypto.self)
            }
            commit(change, event)
        case .send(let node, let attempt): send(intent, place.machine.secondsLeft(at: now), node, attempt)
        case .follow(let node, let attempt): follow(intent, node, attempt)
        case .reload:
            let payout = place.machine.payout
            if payout.isUnderWay, let node = payout.node { reserved[node] = (reserved[node] ?? .zero).beyond(payout.intent.reserve) }
            places[id] = nil
            load(id)
        }
    }

    private func account(_ before: Payout, _ after: Payout) {
        guard before.state != after.state || before.node != after.node else { return }
        if before.isUnderWay, let node = before.node { reserved[node] = (reserved[node] ?? .zero).beyond(before.intent.reserve) }
        if after.isUnderWay, let node = after.node { reserved[node, default: .zero] += after.intent.reserve }
    }

    /// What is not known to be written is handed over again, as it is.
    private func commit(_ change: PayoutChange, _ event: RenderedEvent?) {
        guard let term else { return }
        let life = life
        ledger.movePayout(change, term: term, event: event) { [self] result in
            guard life == self.life else { return }
            switch result {
            case .success(.stored): stored(change)
            case .success(.refused):
                logger.error("the store refuses a step of a payout", metadata: ["payout": "\(change.id)"])
                run(change.id) { machine, _ in machine.refused(change) }
            case .success(.deposed): deposed?()
            case .failure(.rejected(let state, _)):
                logger.critical("the store can never take a step of a payout", metadata: ["payout": "\(change.id)", "sqlstate": "\(state)"])
                run(change.id) { machine, _ in machine.refused(change) }
            case .failure: _ = Timer(afterMilliseconds: 200) { [weak self] in if let self, life == self.life { commit(change, event) } }
            }
        }
    }

    private func stored(_ change: PayoutChange) {
        guard let place = places[change.id] else { return }
        let elapsed = max(now.milliseconds - place.orderedAt.steady, Clock.wallMilliseconds - place.orderedAt.wall)
        switch change.step {
        case .settle(_, let fee):
            metrics.payouts[.settled, default: 0] += 1
            let beyond = fee.beyond(place.machine.payout.intent.feeLimit)
            if beyond > .zero {
                logger.error("a node took more in fees than it was allowed to", metadata: ["payout": "\(change.id)", "beyond_msat": "\(beyond.value)"])
            }
        case .fail: metrics.payouts[.failed, default: 0] += 1
        case .doubt: metrics.payouts[.unknown, default: 0] += 1
        case .send, .retry: break
        }
        run(change.id) { $0.stored(change, elapsed: elapsed, at: $1) }
        switch change.step {
        case .settle, .fail, .retry: if let node = place.machine.payout.node { liquidity.refresh(node) }
        case .send, .doubt: break
        }
    }

    private func send(_ intent: PayoutIntent, _ seconds: Int64, _ key: PublicKey, _ attempt: Int64) {
        guard let node = node(key), let order = PaymentOrder(intent, timeoutSeconds: seconds) else {
            return run(intent.id) { $0.ended(attempt, .notBegun(.notStarted), at: $1) }
        }
        let life = life
        node.pay(order) { [weak self] in self?.heard(life, intent.id, attempt, $0) } ended: { [weak self] in self?.ended(life, intent.id, attempt, $0) }
    }

    private func follow(_ intent: PayoutIntent, _ key: PublicKey, _ attempt: Int64) {
        guard let node = node(key) else {
            // Nobody but the operator can help: the node was taken out of the configuration.
            return run(intent.id) { $0.ended(attempt, .lost, at: $1) }
        }
        let life = life
        node.follow(intent.paymentHash) { [weak self] in self?.heard(life, intent.id, attempt, $0) } ended: { [weak self] in self?.ended(life, intent.id, attempt, $0) }
    }

    private func heard(_ life: Int, _ id: PayoutID, _ attempt: Int64, _ answer: PayoutAnswer) {
        if life == self.life { run(id) { $0.answered(attempt, answer, at: $1) } }
    }

    private func ended(_ life: Int, _ id: PayoutID, _ attempt: Int64, _ end: PayoutEnd) {
        if life == self.life { run(id) { $0.ended(attempt, end, at: $1) } }
    }

    private func node(_ key: PublicKey) -> (any LightningNode)? { nodes.first { $0.pubkey == key } }
}
