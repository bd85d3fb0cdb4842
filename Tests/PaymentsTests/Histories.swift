import Payments

struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &+ 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// The store as the machine's contract describes it, with nothing of SQL.
struct ModelStore {
    var rows: [PaymentHash: StoredSet] = [:]
    var events: [EventType] = []
    /// How often a settlement was committed for a hash: more than once is money lost.
    var settlements: [PaymentHash: Int] = [:]

    mutating func apply(_ change: Change) -> ChangeOutcome {
        let outcome = decide(change.step)
        if outcome == .applied { events += change.events.map(\.type) }
        return outcome
    }

    private mutating func decide(_ step: Change.Step) -> ChangeOutcome {
        switch step {
        case .accept(let set, let preimage):
            let row = rows[set.paymentHash]
            if let row, row.setID == set.setID, preimage == nil ? row.state == .accepted || row.state.isReleased : row.state.isReleased { return .repeated }
            guard row == nil || row?.state == .open || (row?.state == .accepted && row?.setID == set.setID) else { return .refused(row) }
            rows[set.paymentHash] = StoredSet(
                paymentHash: set.paymentHash, state: preimage == nil ? .accepted : .settleRequested, setID: set.setID, terms: set.terms,
                htlcs: set.htlcs.map { .init(held: $0, resolution: nil) })
            if preimage != nil { settlements[set.paymentHash, default: 0] += 1 }
            return .applied
        case .requestSettlement(let hash, let setID, _):
            guard let row = rows[hash], row.setID == setID else { return .refused(rows[hash]) }
            if row.state.isReleased { return .repeated }
            guard row.state == .accepted else { return .refused(row) }
            rows[hash]?.state = .settleRequested
            settlements[hash, default: 0] += 1
            return .applied
        case .release(let hash, let setID):
            guard let row = rows[hash], row.setID == setID else { return .refused(rows[hash]) }
            if row.state == .open { return .repeated }
            guard row.state == .accepted else { return .refused(row) }
            rows[hash]?.state = .open
            return .applied
        case .cancel(let hash, let setID):
            guard let row = rows[hash] else { return .refused(nil) }
            if row.state == .canceled { return .repeated }
            guard row.state == .open || (row.state == .accepted && row.setID == setID) else { return .refused(row) }
            rows[hash]?.state = .canceled
            return .applied
        case .expire(let hash):
            guard rows[hash]?.state == .open else { return .refused(rows[hash]) }
            rows[hash]?.state = .expired
            return .applied
        case .resolve(let hash, let circuitKey, let resolution, let conclusion):
            guard let index = rows[hash]?.htlcs.firstIndex(where: { $0.held.circuitKey == circuitKey }) else { return .refused(rows[hash]) }
            if rows[hash]?.htlcs[index].resolution != nil { return .repeated }
            rows[hash]?.htlcs[index].resolution = resolution
            if let conclusion { rows[hash]?.state = conclusion }
            return .applied
        case .create, .tell:
            return .applied
        }
    }
}

/// Nodes, payers, a store and the machine, driven by chance, with crashes between any two steps.
struct History {
    struct Held { var offer: Offer; var isOffered: Bool; var isSettled = false }

    var random: Generator
    var machine: Machine
    var store = ModelStore()
    var held: [CircuitKey: Held] = [:]
    var gone: [(CircuitKey, Resolution)] = []
    /// On their way to the store, in order; a crash may lose the tail before it is applied.
    var inFlight: [(ChangeID, Change)] = []
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
        random = Generator(state: seed)
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
        case 80..<84: mineBlocks()
        case 84..<90: hearResolution()
        case 90..<94: loseNode(UInt8.random(in: 1...2, using: &random))
        case 94..<97: crash()
        default: offerAgain()
        }
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
        guard !inFlight.isEmpty else { return }
        let (id, change) = inFlight.removeFirst()
        var outcome = store.apply(change)
        // The answer was lost and the same change was sent again.
        if Int.random(in: 0..<4, using: &random) == 0 { outcome = store.apply(change) }
        carry(machine.persisted(id, outcome, at: now))
    }

    private mutating func answerLookUp() {
        guard !lookUps.isEmpty else { return }
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

    private mutating func mineBlocks() {
        height += UInt32.random(in: 1...40, using: &random)
        for (key, part) in held.sorted(by: { $0.key < $1.key }) where Int64(part.offer.htlc.autoFailHeight) <= Int64(height) && !part.isSettled { end(key, isSettled: false) }
        carry(machine.heightReached(height, at: now))
    }

    private mutating func end(_ key: CircuitKey, isSettled: Bool) {
        guard held.removeValue(forKey: key) != nil else { return }
        unheardResolutions.append((key, Resolution(isSettled: isSettled, isOffChain: true)))
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
        // Whatever was under way may have arrived, as a prefix.
        for (_, change) in inFlight.prefix(Int.random(in: 0...inFlight.count, using: &random)) { _ = store.apply(change) }
        inFlight = []
        lookUps = []
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
            case .persist(let id, let change): inFlight.append((id, change))
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
            gone.append((key, Resolution(isSettled: true, isOffChain: true)))
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
        if inFlight.contains(where: { Self.settles($0.1, key) }) { violations.append("failed a part of a settlement on its way: \(key)") }
        failedKeys.insert(key)
        gone.append((key, Resolution(isSettled: false, isOffChain: true)))
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
        for _ in 0..<6 {
            offerAgain()
            while !lookUps.isEmpty || !inFlight.isEmpty || !unheardResolutions.isEmpty {
                answerLookUp()
                answerFromStore()
                hearResolution()
            }
            carry(machine.timeReached(advance(by: 61)))
            check()
        }
        if !held.isEmpty { violations.append("\(held.count) HTLCs are held for ever") }
        if machine.liveCount != 0 { violations.append("\(machine.liveCount) payments are remembered for ever") }
    }
}
