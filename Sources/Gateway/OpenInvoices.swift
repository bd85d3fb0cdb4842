internal import Ledger
internal import Loop
internal import Payments

/// Counts the open invoices of keys that may have only so many: before one is made, and until the leader sees it end.
///
/// It is counted first and made then, so there are never more than the limit. One that was counted and not made, or whose end
/// nobody has seen, is uncounted when the leader settles up. Nothing is done for keys without a limit.
@LoopActor
final class OpenInvoices {
    private let ledger: Ledger
    private let wanted: Gathered<CountedInvoice, Bool>
    /// Whether any are counted: else ends are not worth a statement.
    private var isAny = false

    init(ledger: Ledger) {
        self.ledger = ledger
        wanted = Gathered { ledger.count($0, completion: $1) }
    }

    /// `false` if the key has as many as it may; an error if the store cannot say.
    func admit(_ hash: PaymentHash, of keyID: String, limit: Int64, _ done: @escaping @LoopActor (Result<Bool, LedgerError>) -> Void) {
        isAny = true
        wanted.add(CountedInvoice(keyID: keyID, paymentHash: hash, limit: limit), done)
    }

    /// It was not made after all.
    func forget(_ hash: PaymentHash) { ledger.uncount([hash]) { _ in } }

    /// What has happened, for the leader.
    func published(_ events: [PublishedEvent]) {
        guard isAny else { return }
        let ended = events.filter(\.type.endsInvoice).compactMap(\.paymentHash)
        if !ended.isEmpty { ledger.uncount(ended) { _ in } }
    }

    /// Every few seconds, for the leader.
    func settleUp() {
        ledger.settleUpCounts { [weak self] result in if case .success(let isAny) = result { self?.isAny = isAny } }
    }
}
