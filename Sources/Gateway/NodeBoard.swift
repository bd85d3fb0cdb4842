internal import Ledger
internal import Loop
internal import Payments

/// How the nodes stand, for processes that are not connected to them: the leader tells the store, the others read it.
///
/// What the last leader told stays true for invoices while nobody leads: its nodes hold what is paid until the next one.
@LoopActor
final class NodeBoard {
    private let ledger: Ledger
    private var isAsking = false
    /// As it stands in the store.
    private(set) var states: [PublicKey: String] = [:]

    init(ledger: Ledger) { self.ledger = ledger }

    /// Writes what has changed. Called again and again: what fails is written the next time.
    func tell(_ current: [PublicKey: String], term: Int64) {
        let changed = current.filter { states[$0.key] != $0.value }
        guard !isAsking, !changed.isEmpty else { return }
        isAsking = true
        ledger.tellNodeStates(changed, term: term) { [self] result in
            isAsking = false
            if case .success = result { states.merge(changed) { $1 } }
        }
    }

    func read() {
        guard !isAsking else { return }
        isAsking = true
        ledger.nodeStates { [self] result in
            isAsking = false
            if case .success(let told) = result { states = told }
        }
    }
}
