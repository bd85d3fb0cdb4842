public import Payments
public import Wire
internal import Loop

// Payouts. On the connection of what waits for the disk. An error says nothing about what was to be written: it is handed over
// again as it was, and then found to be there or not.
extension Ledger {
    /// Reserves what the payout may cost, and remembers it. `isBounded`: the account may spend no more than it has received.
    public func createPayout(_ intent: PayoutIntent, isBounded: Bool, event: RenderedEvent, completion: @escaping Completion<PayoutCreation>) {
        records.read(PayoutQuery.create(intent, isBounded: isBounded, event), completion, PayoutQuery.readCreation)
    }

    /// Moves a payout on, if the term is the present one.
    public func movePayout(_ change: PayoutChange, term: Int64, event: RenderedEvent?, completion: @escaping Completion<PayoutCommit>) {
        records.read(PayoutQuery.move(change, term: term, event), completion, PayoutQuery.readCommit)
    }

    /// Anybody's if the account is `nil`.
    public func payout(_ id: PayoutID, account: Int64? = nil, completion: @escaping Completion<Payout?>) {
        reads.read(PayoutQuery.one(id, account: account), completion) { rows throws(LedgerError) in try PayoutQuery.read(rows).first }
    }

    public func payout(hash: PaymentHash, account: Int64, completion: @escaping Completion<Payout?>) {
        reads.read(PayoutQuery.one(hash: hash, account: account), completion) { rows throws(LedgerError) in try PayoutQuery.read(rows).first }
    }

    /// In the order in which they were made; those in one state, or all.
    public func payouts(account: Int64, state: PayoutState?, after number: Int64, limit: Int, completion: @escaping Completion<PayoutPage>) {
        reads.read(PayoutQuery.page(account: account, state: state, after: number, limit: limit), completion) { rows throws(LedgerError) in
            try PayoutQuery.readPage(rows, limit: limit)
        }
    }

    /// Everybody's that have not ended.
    public func unfinishedPayouts(after number: Int64, limit: Int, completion: @escaping Completion<PayoutPage>) {
        reads.read(PayoutQuery.unfinished(after: number, limit: limit), completion) { rows throws(LedgerError) in
            try PayoutQuery.readPage(rows, limit: limit)
        }
    }

    public func balance(account: Int64, completion: @escaping Completion<AccountBalance>) {
        reads.read(PayoutQuery.balance(account), completion, PayoutQuery.readBalance)
    }
}
