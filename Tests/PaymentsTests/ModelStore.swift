import Payments

/// The store as the machine's contract describes it, with nothing of SQL.
struct ModelStore {
    var rows: [PaymentHash: StoredSet] = [:]
    var events: [EventType] = []
    /// How often a settlement was committed for a hash: more than once is money lost.
    var settlements: [PaymentHash: Int] = [:]
    /// HTLCs that belong to a set, and so to no other for ever.
    private var taken: [PaymentHash: Set<CircuitKey>] = [:]
    private var failedBack: Set<SetID> = []

    mutating func apply(_ change: Change) -> ChangeOutcome {
        let before = rows[change.step.paymentHash]
        let outcome = decide(change.step)
        // Of a set that was never accepted nothing is told.
        if case .void = change.step, before == rows[change.step.paymentHash] { return outcome }
        if outcome == .applied { events += change.events.map(\.type) }
        return outcome
    }

    private mutating func decide(_ step: Change.Step) -> ChangeOutcome {
        switch step {
        case .accept(let set, let preimage):
            let row = rows[set.paymentHash]
            if let row, row.setID == set.setID, row.state.isReleased || preimage == nil && row.state == .accepted { return .repeated }
            switch row?.state {
            case nil, .open:
                guard taken[set.paymentHash, default: []].isDisjoint(with: set.circuits) else { return .refused(row) }
            case .accepted where row?.setID == set.setID: break
            case .accepted, .settleRequested, .settled, .canceled, .expired, .failed: return .refused(row)
            }
            taken[set.paymentHash, default: []].formUnion(set.circuits)
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
            guard let row = rows[hash], row.setID == setID, row.state == .accepted else {
                return failedBack.contains(setID) ? .repeated : .refused(rows[hash])
            }
            rows[hash]?.state = .open
            failedBack.insert(setID)
            return .applied
        case .void(let set):
            let row = rows[set.paymentHash]
            if let row, row.state != .open, row.state != .accepted { return .refused(row) }
            if row?.state == .accepted, row?.setID == set.setID { rows[set.paymentHash]?.state = .open }
            taken[set.paymentHash, default: []].formUnion(set.circuits)
            return failedBack.insert(set.setID).inserted ? .applied : .repeated
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

extension AcceptedSet {
    var circuits: [CircuitKey] { htlcs.map(\.circuitKey) }
}

extension Change.Step {
    /// Of a step that the machine orders.
    var paymentHash: PaymentHash {
        switch self {
        case .accept(let set, _), .void(let set): set.paymentHash
        case .requestSettlement(let hash, _, _), .release(let hash, _), .cancel(let hash, _), .expire(let hash), .resolve(let hash, _, _, _): hash
        case .create(let invoice): invoice.paymentHash
        case .tell: PaymentHash(Bytes32())
        }
    }

    var isResolution: Bool { if case .resolve = self { true } else { false } }

    /// Whether a preimage goes out when it is stored.
    var settles: Bool {
        switch self {
        case .accept(_, .some), .requestSettlement: true
        case .create, .accept, .release, .void, .cancel, .expire, .resolve, .tell: false
        }
    }
}
