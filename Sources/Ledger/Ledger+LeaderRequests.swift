public import Payments
internal import Loop

extension Ledger {
    /// Lays a request before the leader, for so long.
    public func ask(
        leader request: LeaderRequest, milliseconds: Int64, completion: @escaping @LoopActor (Result<Void, LedgerError>) -> Void
    ) {
        reads.read([LeaderRequestQuery.insert(request, milliseconds: milliseconds), LeaderRequestQuery.notify], completion) { _ in }
    }

    /// The requests that the leader of this term has not begun yet; from now on it has.
    public func beginRequests(term: Int64, completion: @escaping @LoopActor (Result<[LeaderRequest], LedgerError>) -> Void) {
        reads.read([LeaderRequestQuery.forget, LeaderRequestQuery.begin(term: term)], completion) { LeaderRequestQuery.read($0[1]) }
    }

    /// Answers a request that was begun in this term; nothing is written in another.
    public func answerRequest(
        _ id: Bytes32, _ text: String, term: Int64, completion: @escaping @LoopActor (Result<Void, LedgerError>) -> Void
    ) {
        reads.read([LeaderRequestQuery.answer(id, text, term: term), LeaderRequestQuery.notify], completion) { _ in }
    }

    /// Those of these requests that are answered.
    public func answers(
        to ids: [Bytes32], completion: @escaping @LoopActor (Result<[Bytes32: String], LedgerError>) -> Void
    ) {
        reads.read(LeaderRequestQuery.answers(to: ids), completion, LeaderRequestQuery.readAnswers)
    }

    /// Takes a request back, if it is not too late.
    public func abandonRequest(_ id: Bytes32, completion: @escaping @LoopActor (Result<AbandonedRequest, LedgerError>) -> Void) {
        reads.read(LeaderRequestQuery.abandon(id), completion, LeaderRequestQuery.readAbandoned)
    }
}
