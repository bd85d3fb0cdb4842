internal import Ledger
internal import Loop

/// Puts what is asked for in one turn, and while the question before is under way, into one question to the store: one
/// transaction and one wait for the disk for all of them.
@LoopActor
final class Gathered<Item, Answer> {
    typealias Completion = @LoopActor (Result<Answer, LedgerError>) -> Void

    private let most: Int
    private let ask: @LoopActor ([Item], @escaping @LoopActor (Result<[Answer], LedgerError>) -> Void) -> Void
    private var waiting: [(item: Item, done: Completion)] = []
    private var isAsking = false
    private let turnEnd = OncePerTurn()

    /// `ask` gets at most so many, and answers in their order.
    init(
        most: Int = 256, _ ask: @escaping @LoopActor ([Item], @escaping @LoopActor (Result<[Answer], LedgerError>) -> Void) -> Void
    ) {
        self.most = most
        self.ask = ask
    }

    func add(_ item: Item, _ done: @escaping Completion) {
        waiting.append((item, done))
        turnEnd.run { [self] in send() }
    }

    private func send() {
        guard !isAsking, !waiting.isEmpty else { return }
        isAsking = true
        let asked = Array(waiting.prefix(most))
        waiting.removeFirst(asked.count)
        ask(asked.map(\.item)) { [self] result in
            isAsking = false
            switch result {
            case .success(let answers) where answers.count == asked.count:
                for (entry, answer) in zip(asked, answers) { entry.done(.success(answer)) }
            case .success: for entry in asked { entry.done(.failure(.unavailable("malformed answer"))) }
            case .failure(let error): for entry in asked { entry.done(.failure(error)) }
            }
            send()
        }
    }
}
