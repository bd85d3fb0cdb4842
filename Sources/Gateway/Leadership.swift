internal import Ledger
internal import Logging
internal import Loop

/// Takes, keeps and gives back the interceptor's lease.
///
/// Holding it is a promise of the store, not of this clock: what a deposed leader still tries to commit is refused
/// there, by its term.
@LoopActor
final class Leadership {
    enum State: Equatable {
        case follower
        case leader(term: Int64)
    }

    private let ledger: Ledger
    private let instance: String
    private let leaseMilliseconds: Int64
    private let logger: Logger
    private var timer: Timer?
    private var isAsking = false
    /// Who waits for the lease to be given back, should the question for it that is under way be answered with it.
    private var ending: [@LoopActor () -> Void] = []
    private(set) var state = State.follower
    var onState: (@LoopActor (State) -> Void)?

    init(ledger: Ledger, instance: String, leaseMilliseconds: Int64, logger: Logger) {
        self.ledger = ledger
        self.instance = instance
        self.leaseMilliseconds = leaseMilliseconds
        self.logger = logger
    }

    func start() {
        guard timer == nil else { return }
        timer = Timer(afterMilliseconds: 1, repeats: UInt64(max(leaseMilliseconds / 3, 50))) { [self] in ask() }
    }

    /// Gives the lease back, so that the next leader need not wait for its end.
    func stop(_ done: @escaping @LoopActor () -> Void) {
        timer?.cancel()
        timer = nil
        guard case .leader = state else {
            return isAsking ? ending.append(done) : done()
        }
        become(.follower)
        ledger.releaseLease { _ in done() }
    }

    /// The store refused a commit for its term.
    func deposed() {
        guard case .leader = state else { return }
        logger.error("another process holds the interceptor's lease; giving way")
        become(.follower)
    }

    private func ask() {
        guard timer != nil, !isAsking else { return }
        isAsking = true
        switch state {
        case .follower:
            ledger.acquireLease(instance: instance, milliseconds: leaseMilliseconds) { [self] result in
                isAsking = false
                if !ending.isEmpty { return ledger.releaseLease { [self] _ in end() } }
                if case .success(let term?) = result, timer != nil { become(.leader(term: term)) }
            }
        case .leader:
            ledger.renewLease(milliseconds: leaseMilliseconds) { [self] result in
                isAsking = false
                // A store that is away takes no lease from us: nobody else can have it either.
                if case .success(false) = result { deposed() }
                end()
            }
        }
    }

    private func end() {
        let waiting = ending
        ending = []
        for done in waiting { done() }
    }

    private func become(_ state: State) {
        guard state != self.state else { return }
        self.state = state
        onState?(state)
    }
}
