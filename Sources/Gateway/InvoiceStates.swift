internal import Ledger
internal import Loop
internal import Payments

/// Invoices as they are now, for everybody who begins to watch one: those who ask while a question is under way share the
/// next one.
@LoopActor
final class InvoiceStates {
    /// An invoice, if it is stored, and the offset of the last event that it certainly shows.
    typealias Answer = @LoopActor (Result<(record: InvoiceRecord?, head: Int64), EventHistory.Failure>) -> Void

    private static let batch = 1000

    private let ledger: Ledger
    private let head: @LoopActor () -> Int64
    private let asked: @LoopActor () -> Void
    private var waiting: [(hash: PaymentHash, account: Int64?, answer: Answer)] = []
    private var isAsking = false
    private let turnEnd = OncePerTurn()

    /// `head` is the offset up to which events were published; `asked` runs for every question to the store.
    init(ledger: Ledger, head: @escaping @LoopActor () -> Int64, asked: @escaping @LoopActor () -> Void) {
        self.ledger = ledger
        self.head = head
        self.asked = asked
    }

    /// Of an account that is named only its own invoice.
    func read(_ hash: PaymentHash, of account: Int64?, _ answer: @escaping Answer) {
        waiting.append((hash, account, answer))
        schedule()
    }

    private func schedule() {
        guard !isAsking, !waiting.isEmpty else { return }
        turnEnd.run { [self] in ask() }
    }

    private func ask() {
        let asking = waiting.prefix(Self.batch)
        waiting.removeFirst(asking.count)
        isAsking = true
        let head = head()
        asked()
        ledger.invoices(Array(Set(asking.map(\.hash)))) { [self] result in
            isAsking = false
            for (hash, account, answer) in asking {
                switch result {
                case .success(let found):
                    let record = found[hash].flatMap { account == nil || $0.account == account ? $0 : nil }
                    answer(.success((record, head)))
                case .failure: answer(.failure(.unavailable))
                }
            }
            schedule()
        }
    }
}
