internal import Ledger
internal import Loop
internal import Payments

/// Invoices as they are now, for everybody who begins to watch one: those who ask while a question is under way share the
/// next one.
@LoopActor
final class InvoiceStates {
    /// An invoice, if it is stored, and the offset of the last event that it certainly shows.
    typealias Answer = @LoopActor (Result<(record: InvoiceRecord?, head: Int64), EventHistory.Failure>) -> Void

    private let wanted: Gathered<PaymentHash, (record: InvoiceRecord?, head: Int64)>

    /// `head` is the offset up to which events were published; `asked` runs for every question to the store.
    init(ledger: Ledger, head: @escaping @LoopActor () -> Int64, asked: @escaping @LoopActor () -> Void) {
        wanted = Gathered(most: 1000) { hashes, done in
            let head = head()
            asked()
            ledger.invoices(Array(Set(hashes))) { result in done(result.map { found in hashes.map { (found[$0], head) } }) }
        }
    }

    /// Of an account that is named only its own invoice.
    func read(_ hash: PaymentHash, of account: Int64?, _ answer: @escaping Answer) {
        wanted.add(hash) { result in
            answer(result.map { record, head in (account == nil || record?.account == account ? record : nil, head) }.mapError { _ in .unavailable })
        }
    }
}
