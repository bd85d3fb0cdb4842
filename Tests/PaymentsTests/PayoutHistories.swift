import Payments
import TestSupport

/// Leaders that crash and stall, nodes that answer, hang and die, and a store, driven by chance. Nothing is in order but
/// what the parts promise: the store decides by term, a node pays a hash once, and a node's connection dies 80 seconds after
/// its last word.
struct PayoutHistory {
    /// As LND keeps a payment: by hash, and once.
    enum NodePayment { case inFlight, settled(fee: UInt64), failed }
    struct Node { var payment: NodePayment?; var isUp = true }
    /// A request to pay that has left a leader.
    struct Request { var node: Int; var leader: Int; var attempt: Int64; var until: Int64; var isOpen = false }
    struct Write { var leader: Int; var change: PayoutChange; var term: Int64; var at: Int64; var answer: Bool? }
    struct Leader {
        var machine: PayoutMachine
        var term: Int64
        var follows: [(node: Int, attempt: Int64)] = []
        var isDead = false
    }

    static let nodeCount = 3
    var random: SeededGenerator
    var clock: Int64 = 0
    var row = Payout(intent: payoutIntent(feeLimit: 10))
    var term: Int64 = 0
    var reserved: UInt64
    var spent: UInt64 = 0
    var nodes = [Node](repeating: Node(), count: nodeCount)
    var leaders: [Leader] = []
    var requests: [Request] = []
    var writes: [Write] = []
    var violations: [String] = []
    var isFinishing = false

    let policy: PayoutPolicy

    init(seed: UInt64, policy: PayoutPolicy = PayoutPolicy()) {
        random = SeededGenerator(seed: seed)
        self.policy = policy
        reserved = row.intent.reserve.value
        lead()
    }

    private func key(_ index: Int) -> PublicKey { node(UInt8(index + 1)) }
    private func index(_ key: PublicKey) -> Int { Int(key.storage[1]) - 1 }
    private var now: UnixTime { UnixTime(milliseconds: 1_000_000_000 + clock) }
    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func run(steps: Int) {
        for _ in 0..<steps { step() }
        isFinishing = true
        for index in leaders.indices.dropLast() { leaders[index].isDead = true }
        for index in nodes.indices { nodes[index].isUp = true }
        for _ in 0..<4000 where !row.state.isFinal { step() }
        check()
        if !row.state.isFinal { violations.append("never ended: \(row.state)") }
    }

    private mutating func step() {
        if Int.random(in: 0..<4, using: &random) == 0 { clock += Int64.random(in: 0...(chance(10) ? 40_000 : 900), using: &random) }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<20: deliverRequest()
        case 20..<45: carryOutWrite()
        case 45..<60: answerFollow()
        case 60..<75: for leader in leaders.indices where chance(60) { act(leader) { $0.timeReached($1) } }
        case 75..<90: moveNode()
        case 90..<94 where !isFinishing: lead()
        case 94..<97 where !isFinishing: crash()
        default: for leader in leaders.indices { let key = key(Int.random(in: 0..<Self.nodeCount, using: &random)); act(leader) { $0.nodeReturned(key, at: $1) } }
        }
        check()
    }

    // MARK: Leaders

    /// Another process takes the lease; the one before goes on and does not know it.
    private mutating func lead() {
        term += 1
        leaders.append(Leader(machine: PayoutMachine(row, policy: policy, at: now), term: term))
        act(leaders.count - 1) { $0.takenUp(at: $1) }
    }

    private mutating func crash() {
        guard let last = leaders.indices.last else { return }
        leaders[last].isDead = true
        lead()
    }

    private mutating func act(_ leader: Int, _ fact: (inout PayoutMachine, UnixTime) -> [PayoutOrder]) {
        guard !leaders[leader].isDead else { return }
        let orders = fact(&leaders[leader].machine, now)
        for order in orders { carry(order, leader) }
    }

    private mutating func carry(_ order: PayoutOrder, _ leader: Int) {
        switch order {
        case .choose(let tried):
            let fit = nodes.indices.filter { nodes[$0].isUp && !tried.contains(key($0)) }
            let chosen = fit.randomElement(using: &random).map(key)
            let mayChange = tried.count < Self.nodeCount
            act(leader) { $0.chose(chosen, mayChange: mayChange, at: $1) }
        case .commit(let change):
            writes.append(Write(leader: leader, change: change, term: leaders[leader].term, at: clock))
        case .send(let key, let attempt):
            if requests.contains(where: { $0.attempt == attempt }) { violations.append("attempt \(attempt) was sent twice") }
            if row.attempt < attempt { violations.append("sent before the commit") }
            requests.append(Request(node: index(key), leader: leader, attempt: attempt, until: clock + 80_000))
        case .follow(let key, let attempt):
            leaders[leader].follows.append((index(key), attempt))
        case .reload:
            guard leaders[leader].term == term else { return leaders[leader].isDead = true }
            leaders[leader].machine = PayoutMachine(row, policy: policy, at: now)
            leaders[leader].follows = []
            act(leader) { $0.takenUp(at: $1) }
        }
    }

    // MARK: The store

    /// Statements of one leader are carried out in their order; an answer may get lost, and then it is sent again.
    private mutating func carryOutWrite() {
        guard let position = writes.indices.randomElement(using: &random) else { return }
        let write = writes[position]
        guard !writes[..<position].contains(where: { $0.leader == write.leader }) else { return }
        // Carried out once, however often it has to be sent.
        let isDurable = write.answer ?? apply(write)
        writes[position].answer = isDurable
        if chance(15) { return }
        writes.remove(at: position)
        let elapsed = clock - write.at
        if isDurable {
            act(write.leader) { $0.stored(write.change, elapsed: elapsed, at: $1) }
        } else {
            act(write.leader) { machine, _ in machine.refused(write.change) }
        }
    }

    private mutating func apply(_ write: Write) -> Bool {
        guard write.term == term, let next = row.applying(write.change) else { return false }
        row = next
        switch write.change.step {
        case .settle(_, let fee):
            spent += row.intent.amount.value + fee.value
            reserved -= row.intent.reserve.value
        case .fail: reserved -= row.intent.reserve.value
        case .send, .doubt, .retry: break
        }
        return true
    }

    // MARK: Nodes

    private mutating func deliverRequest() {
        breakStream()
        guard let position = requests.indices.filter({ requests[$0].until >= 0 }).randomElement(using: &random) else { return }
        let request = requests[position]
        let arrives = clock <= request.until && nodes[request.node].isUp && !chance(15)
        requests[position].until = -1
        guard arrives else {
            // It never arrives; the leader hears that the call broke.
            return act(request.leader) { $0.ended(request.attempt, .lost, at: $1) }
        }
        switch nodes[request.node].payment {
        case .inFlight, .settled:
            if !chance(20) { return act(request.leader) { $0.ended(request.attempt, .exists, at: $1) } }
            act(request.leader) { $0.ended(request.attempt, .lost, at: $1) }
        case .failed, nil:
            if chance(8) { return act(request.leader) { $0.ended(request.attempt, .notBegun(.notStarted), at: $1) } }
            nodes[request.node].payment = .inFlight
            if chance(50) { act(request.leader) { $0.answered(request.attempt, .inFlight, at: $1) } }
            // The stream may break before it has said anything, while the payment goes on.
            requests[position].isOpen = true
        }
    }

    private mutating func breakStream() {
        guard chance(20), let position = requests.indices.filter({ requests[$0].isOpen }).randomElement(using: &random) else { return }
        requests[position].isOpen = false
        let request = requests[position]
        act(request.leader) { $0.ended(request.attempt, .lost, at: $1) }
    }

    private mutating func moveNode() {
        let index = Int.random(in: nodes.indices, using: &random)
        if chance(20), !isFinishing { nodes[index].isUp.toggle() }
        guard case .inFlight = nodes[index].payment, chance(30) else { return }
        nodes[index].payment = chance(50) ? .settled(fee: UInt64.random(in: 0...13, using: &random)) : .failed
        guard nodes[index].isUp, chance(60), let answer = answer(of: index) else { return }
        // To all whose streams are open, and twice.
        for _ in 0...1 {
            for request in requests where request.isOpen && request.node == index {
                act(request.leader) { $0.answered(request.attempt, answer, at: $1) }
            }
        }
    }

    private func answer(of node: Int) -> PayoutAnswer? {
        switch nodes[node].payment {
        case .inFlight: .inFlight
        case .settled(let fee): .settled(preimage(1), fee: Millisatoshis(fee))
        case .failed: .failed(.noRoute)
        case nil: nil
        }
    }

    private mutating func answerFollow() {
        for leader in leaders.indices {
            guard let follow = leaders[leader].follows.first, chance(50) else { continue }
            let isHeard = nodes[follow.node].isUp && !chance(15)
            guard isHeard else {
                leaders[leader].follows.removeFirst()
                act(leader) { $0.ended(follow.attempt, .lost, at: $1) }
                continue
            }
            guard let answer = answer(of: follow.node) else {
                leaders[leader].follows.removeFirst()
                act(leader) { $0.ended(follow.attempt, .notFound, at: $1) }
                continue
            }
            act(leader) { $0.answered(follow.attempt, answer, at: $1) }
            if case .inFlight = answer { continue }
            if !leaders[leader].follows.isEmpty { leaders[leader].follows.removeFirst() }
            act(leader) { $0.ended(follow.attempt, .lost, at: $1) }
        }
    }

    // MARK: What must hold

    private mutating func check() {
        let alive = nodes.indices.filter { index in
            switch nodes[index].payment {
            case .inFlight, .settled: true
            case .failed, nil: false
            }
        }
        if alive.count > 1 { violations.append("two nodes pay at once: \(alive)") }
        if row.state == .failed, !alive.isEmpty { violations.append("told as failed while node \(alive) pays") }
        let paid = nodes.indices.compactMap { index -> UInt64? in if case .settled(let fee) = nodes[index].payment { fee } else { nil } }
        if row.state == .settled {
            if paid.count != 1 { violations.append("told as settled, and \(paid.count) nodes have paid") }
            if spent != row.intent.amount.value + (paid.first ?? 0) { violations.append("the books say \(spent)") }
        } else if spent != 0 {
            violations.append("spent before the end")
        }
        if row.state.isFinal != (reserved == 0) { violations.append("reserved \(reserved) when \(row.state)") }
    }
}
