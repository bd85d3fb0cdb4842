import Payments
import TestSupport

/// Nodes, payers, a store and the machine, driven by chance, with crashes between any two steps.
struct History {
    struct Waiting {
        var id: ChangeID
        var change: Change
        var isSent = false
        var mayBeStored = false
        var isWantedBack = false
        var isWithdrawable: Bool {
            switch change.step {
            case .accept, .requestSettlement: true
            case .create, .release, .void, .cancel, .expire, .resolve, .tell: false
            }
        }
    }
    struct Held { var offer: Offer; var isOffered: Bool; var isSettled = false }

    var random: SeededGenerator
    var machine: Machine
    var store = ModelStore()
    var held: [CircuitKey: Held] = [:]
    var gone: [(CircuitKey, Resolution)] = []
    /// On their way to the store, in order; those at the front may be in the statement under way.
    var queue: [Waiting] = []
    /// Statements of lost connections that the server may still carry out, until another term begins.
    var late: [[Change]] = []
    /// The database does not answer, and blocks go by.
    var isAway = false
    var lookUps: [PaymentHash] = []
    var unheardResolutions: [(CircuitKey, Resolution)] = []
    var failedKeys: Set<CircuitKey> = []
    var settledKeys: Set<CircuitKey> = []
    var violations: [String] = []
    var isFinishing = false
    var height: UInt32 = 1000
    var clock: Int64 = 0
    var nextHTLC: UInt64 = 0
    var nextRequest: UInt64 = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        machine = Machine(policy: .init())
        _ = machine.heightReached(height, at: seconds(0))
    }

    var now: UnixTime { seconds(clock) }

    mutating func run(steps: Int) {
        for _ in 0..<steps { step() }
        finish()
    }

    private mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: pay()
        case 30..<60: answerFromStore()
        case 60..<66: answerLookUp()
        case 66..<74: request()
        case 74..<80: carry(machine.timeReached(advance(by: Int64.random(in: 0...30, using: &random))))
        case 80..<84: mineBlocks(UInt32.random(in: 1...40, using: &random))
        case 84..<90: hearResolution()
        case 90..<94: loseNode(UInt8.random(in: 1...2, using: &random))
        case 94..<96: crash()
        case 96..<98: isAway.toggle()
        default: offerAgain()
        }
        if isAway, Int.random(in: 0..<4, using: &random) == 0 { mineBlocks(UInt32.random(in: 1...20, using: &random)) }
        if Int.random(in: 0..<8, using: &random) == 0 { runLate() }
        check()
    }

    private mutating func advance(by seconds: Int64) -> UnixTime {
        clock += seconds
        return now
    }

    private mutating func pay() {
        let number = UInt8.random(in: 1...3, using: &random)
        let amount = [UInt64(400), 600, 1000].randomElement(using: &random)!
        nextHTLC += 1
        let made = offer(
            number, on: UInt8.random(in: 1...2, using: &random), htlcID: nextHTLC, amount: amount, settlement: number == 1 ? .auto : .hold,
            outgoingExpiry: height + 83, incomingExpiry: height + 163, autoFailHeight: Int32(height) + 144)
        held[made.htlc.circuitKey] = Held(offer: made, isOffered: true)
        carry(machine.offered(made, at: now))
    }

    private mutating func answerFromStore() {
        if let index = queue.firstIndex(where: { $0.isWantedBack && !$0.isSent }) {
            let waiting = queue.remove(at: index)
            carry(machine.persisted(waiting.id, .withdrawn(mayBeStored: waiting.mayBeStored), at: now))
        } else if queue.first?.isSent == true {
            isAway || !isFinishing && Int.random(in: 0..<5, using: &random) == 0 ? loseConnection() : answerStatement()
        } else if !isAway, !queue.isEmpty {
            for index in 0..<min(Int.random(in: 1...3, using: &random), queue.count) { send(index) }
        }
    }

    private mutating func send(_ index: Int) {
        queue[index].isSent = true
        let step = queue[index].change.step
        guard step.settles else { return }
        let parts: [HeldHTLC] = if case .accept(let set, _) = step { set.htlcs } else { store.rows[step.paymentHash]?.htlcs.map(\.held) ?? [] }
        if parts.contains(where: { $0.autoFailHeight <= Int64(height) }) {
            violations.append("sent the settlement of a set of which a node has failed a part")
        }
    }

    private mutating func answerStatement() {
        let sent = queue.prefix(while: \.isSent)
        queue.removeFirst(sent.count)
        for waiting in sent {
            // Something in it that the server can never take. How an HTLC ended would then be told at the next start.
            if !isFinishing, !waiting.change.step.isResolution, Int.random(in: 0..<40, using: &random) == 0 {
                let outcome = waiting.mayBeStored && waiting.isWithdrawable
                    ? ChangeOutcome.withdrawn(mayBeStored: true) : .refused(store.rows[waiting.change.step.paymentHash])
                carry(machine.persisted(waiting.id, outcome, at: now))
            } else {
                carry(machine.persisted(waiting.id, apply(waiting.change), at: now))
            }
        }
    }

    /// Nobody knows what became of the statement: it was carried out, or never arrived, or is yet to be carried out.
    private mutating func loseConnection() {
        let sent = queue.prefix(while: \.isSent).map(\.change)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: for change in sent { _ = apply(change) }
        case 1: late.append(sent)
        default: break
        }
        for index in sent.indices {
            queue[index].isSent = false
            queue[index].mayBeStored = true
        }
    }

    private mutating func runLate() {
        guard let index = late.indices.randomElement(using: &random) else { return }
        for change in late.remove(at: index) { _ = apply(change) }
    }

    private mutating func apply(_ change: Change) -> ChangeOutcome {
        let outcome = store.apply(change)
        if outcome == .applied, change.step.settles, let row = store.rows[change.step.paymentHash],
            row.htlcs.contains(where: { failedKeys.contains($0.held.circuitKey) }) {
            violations.append("committed the settlement of a set of which a part was failed")
        }
        return outcome
    }

    private mutating func answerLookUp() {
        guard !lookUps.isEmpty, !isAway else { return }
        let hash = lookUps.removeFirst()
        carry(machine.found(hash, store.rows[hash], at: now))
    }

    private mutating func request() {
        nextRequest += 1
        let hash = hash(UInt8.random(in: 1...3, using: &random))
        let orders = Bool.random(using: &random)
            ? machine.settlementRequested(RequestID(nextRequest), hash, nil, at: now)
            : Int.random(in: 0..<4, using: &random) == 0 ? machine.cancellationRequested(RequestID(nextRequest), hash, nil, terms: offer().terms, at: now) : []
        carry(orders)
    }

    private mutating func mineBlocks(_ count: UInt32) {
        height += count
        for (key, part) in held.sorted(by: { $0.key < $1.key }) where Int64(part.offer.htlc.autoFailHeight) <= Int64(height) && !part.isSettled { end(key, isSettled: false) }
        carry(machine.heightReached(height, at: now))
    }

    private mutating func end(_ key: CircuitKey, isSettled: Bool) {
        guard held.removeValue(forKey: key) != nil else { return }
        gone.append((key, Resolution(isSettled: isSettled, isOffChain: true)))
        unheardResolutions.append(gone.last!)
    }

    private mutating func hearResolution() {
        guard !unheardResolutions.isEmpty else { return }
        let (key, resolution) = unheardResolutions.removeFirst()
        carry(machine.resolved(key, resolution, at: now))
    }

    private mutating func loseNode(_ number: UInt8) {
        for key in held.keys where key.node == node(number) { held[key]?.isOffered = false }
        machine.nodeDetached(node(number))
    }

    private mutating func crash() {
        // What was under way may have arrived. Once a new term has begun it cannot any more.
        if Bool.random(using: &random) { runLate() }
        if Bool.random(using: &random) { for waiting in queue.prefix(while: \.isSent) { _ = apply(waiting.change) } }
        queue = []
        late = []
        lookUps = []
        isAway = false
        for key in held.keys { held[key]?.isOffered = false }
        machine = Machine(policy: .init())
        _ = machine.heightReached(height, at: now)
        machine.restored(store.rows.values.sorted { $0.paymentHash < $1.paymentHash }, at: now)
        // The nodes are asked for what ended meanwhile.
        for (key, resolution) in gone where machine.unresolved(on: key.node).contains(key) { unheardResolutions.append((key, resolution)) }
    }

    private mutating func offerAgain() {
        for key in held.filter({ !$0.value.isOffered }).keys.sorted().shuffled(using: &random) {
            held[key]?.isOffered = true
            carry(machine.offered(held[key]!.offer, at: now))
        }
    }

    private mutating func carry(_ orders: [Order]) {
        for order in orders {
            switch order {
            case .persist(let id, let change): queue.append(Waiting(id: id, change: change))
            case .withdraw(let id):
                if let index = queue.firstIndex(where: { $0.id == id }) { queue[index].isWantedBack = true }
            case .lookUp(let hash): lookUps.append(hash)
            case .settle(let key, _): settle(key)
            case .fail(let key, _, _, _): fail(key)
            case .hold, .reply: break
            }
        }
    }

    private mutating func settle(_ key: CircuitKey) {
        guard let part = held[key], part.isOffered else { return }
        let row = store.rows[part.offer.paymentHash]
        if row?.state.isReleased != true || row?.htlcs.contains(where: { $0.held.circuitKey == key }) != true {
            violations.append("settled without a committed settlement: \(key)")
        }
        settledKeys.insert(key)
        // The answer may be lost with the stream, or the node may end it now.
        if isFinishing || Bool.random(using: &random) {
            end(key, isSettled: true)
        } else {
            held[key]?.isOffered = false
            held[key]?.isSettled = true
        }
    }

    private mutating func fail(_ key: CircuitKey) {
        guard let part = held[key], part.isOffered else { return }
        let row = store.rows[part.offer.paymentHash]
        if row?.state.isReleased == true, row?.htlcs.contains(where: { $0.held.circuitKey == key }) == true {
            violations.append("failed a part of a committed settlement: \(key)")
        }
        if queue.contains(where: { Self.settles($0.change, key) }) { violations.append("failed a part of a settlement on its way: \(key)") }
        failedKeys.insert(key)
        end(key, isSettled: false)
    }

    private static func settles(_ change: Change, _ key: CircuitKey) -> Bool {
        if case .accept(let set, .some) = change.step { return set.htlcs.contains { $0.circuitKey == key } }
        return false
    }

    private mutating func check() {
        if store.settlements.values.contains(where: { $0 > 1 }) { violations.append("settled twice") }
        if !settledKeys.isDisjoint(with: failedKeys) { violations.append("settled and failed") }
        for row in store.rows.values where row.state.isReleased {
            let received = row.htlcs.reduce(UInt64(0)) { $0 + $1.held.amount.value }
            if received < 1000 { violations.append("settled for \(received) msat") }
        }
    }

    /// Everything works again and nobody asks for anything: in the end nothing may be held.
    private mutating func finish() {
        isFinishing = true
        isAway = false
        while !late.isEmpty { runLate() }
        for _ in 0..<6 {
            offerAgain()
            while !lookUps.isEmpty || !queue.isEmpty || !unheardResolutions.isEmpty {
                answerLookUp()
                answerFromStore()
                hearResolution()
            }
            mineBlocks(1)
            carry(machine.timeReached(advance(by: 61)))
            check()
        }
        if !held.isEmpty { violations.append("\(held.count) HTLCs are held for ever") }
        if machine.liveCount != 0 { violations.append("\(machine.liveCount) payments are remembered for ever") }
    }
}
