internal import Keys
internal import Ledger
internal import Loop
internal import Payments

/// What only the leader can do, asked for at a process that does not lead: it waits in the store until the leader comes to it.
///
/// A leader begins it under its term, and one that crashes leaves it to the next, so it may be done twice: each wish is one that is
/// the same twice as once. Whoever asks waits for a bounded time, and is told whether anything was begun.
@LoopActor
final class LeaderRequests {
    enum Outcome: Equatable {
        case answered(String)
        /// Nobody leads: nothing was begun, and nothing will be.
        case noLeader
        /// It was begun; what became of it is not known.
        case unanswered
        /// The store is away.
        case unavailable
    }

    typealias Answer = @LoopActor (Outcome) -> Void

    /// Of all clients together.
    private static let maximumWaiting = 1000
    /// For how long a request that the leader has begun is waited for beyond the time in which it can be begun.
    private static let grace: UInt64 = 1000

    private let ledger: Ledger
    private var waiting: [Bytes32: (answer: Answer, patience: Timer)] = [:]
    private var isLooking = false
    private var mustLook = false
    private var isBeginning = false
    private var mustBegin = false
    /// Under which this process leads and can serve.
    var term: @LoopActor () -> Int64? = { nil }
    /// Does what is asked and says what came of it.
    var serve: (@LoopActor (LeaderRequest.Wish, _ answer: @escaping @LoopActor (String) -> Void) -> Void)?

    init(ledger: Ledger) { self.ledger = ledger }

    /// Answers once, at the latest a little after so many milliseconds.
    func ask(_ wish: LeaderRequest.Wish, milliseconds: UInt64, _ answer: @escaping Answer) {
        guard waiting.count < Self.maximumWaiting else { return answer(.unavailable) }
        let request = LeaderRequest(id: SecureRandom.bytes32(), wish: wish)
        let patience = Timer(afterMilliseconds: milliseconds + Self.grace) { [self] in giveUp(request.id) }
        waiting[request.id] = (answer, patience)
        ledger.ask(leader: request, milliseconds: Int64(milliseconds)) { [self] result in
            switch result {
            case .success: happened()
            // It may have been written all the same.
            case .failure: giveUp(request.id)
            }
        }
    }

    /// Something may have been asked or answered: looks at both.
    func happened() {
        look()
        begin()
    }

    // MARK: Asking

    private func look() {
        guard !waiting.isEmpty else { return }
        guard !isLooking else { return mustLook = true }
        isLooking = true
        ledger.answers(to: Array(waiting.keys)) { [self] result in
            isLooking = false
            if case .success(let answers) = result {
                for (id, text) in answers { end(id, .answered(text)) }
            }
            guard mustLook else { return }
            mustLook = false
            look()
        }
    }

    private func giveUp(_ id: Bytes32) {
        guard waiting[id] != nil else { return }
        ledger.abandonRequest(id) { [self] result in
            switch result {
            case .success(.answered(let text)): end(id, .answered(text))
            case .success(.untouched): end(id, .noLeader)
            case .success(.begun): end(id, .unanswered)
            case .failure: end(id, .unavailable)
            }
        }
    }

    private func end(_ id: Bytes32, _ outcome: Outcome) {
        guard let waiter = waiting.removeValue(forKey: id) else { return }
        waiter.patience.cancel()
        waiter.answer(outcome)
    }

    // MARK: Serving

    private func begin() {
        guard let term = term(), let serve else { return }
        guard !isBeginning else { return mustBegin = true }
        isBeginning = true
        ledger.beginRequests(term: term) { [self] result in
            isBeginning = false
            if case .success(let requests) = result {
                for request in requests where self.term() == term {
                    serve(request.wish) { [self] text in
                        // What another term has to say is for its leader to say.
                        guard self.term() == term else { return }
                        ledger.answerRequest(request.id, text, term: term) { _ in }
                    }
                }
            }
            guard mustBegin else { return }
            mustBegin = false
            begin()
        }
    }
}
