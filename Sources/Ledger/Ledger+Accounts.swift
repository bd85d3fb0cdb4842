public import Payments
internal import Loop

// Accounts, keys, and what is kept of their requests. On a connection of its own: these wait for the disk, and no look-up
// waits behind them.
extension Ledger {
    public typealias Completion<Value> = @LoopActor (Result<Value, LedgerError>) -> Void

    // MARK: Accounts

    /// The SQLSTATE of a sequence that has given its last number: there is no other account.
    public static let numbersAreUsedUp = "2200H"

    /// Makes an account, or finds the one that was made from the same origin.
    public func insertAccount(name: String, origin: Bytes32, at time: UnixTime, completion: @escaping Completion<AccountRecord?>) {
        records.read(AccountQuery.insert(name, origin: origin, at: time), completion) { AccountQuery.read($0).first }
    }

    /// In the order of their numbers, one more than the limit if there are more. With `only` at most that one.
    public func accounts(only account: Int64?, after id: Int64, limit: Int, completion: @escaping Completion<[AccountRecord]>) {
        records.read(AccountQuery.page(only: account, after: id, limit: limit), completion, AccountQuery.read)
    }

    // MARK: API keys

    /// Nothing is inserted once the account has `limit` valid keys.
    public func insertKey(_ key: APIKeyRecord, limit: Int64? = nil, completion: @escaping Completion<APIKeyInsertion>) {
        records.read([APIKeyQuery.lock(account: key.account), APIKeyQuery.insert(key, limit: limit)], completion) { APIKeyQuery.readInsertion($0[1]) }
    }

    /// The key with this hash, now or before its last rotation, whatever has become of it.
    public func key(hash: Bytes32, completion: @escaping Completion<APIKeyRecord?>) {
        judgements.read(APIKeyQuery.one(hash: hash), completion) { APIKeyQuery.read($0).first }
    }

    /// Keys that are good now, those first that were used last.
    public func recentKeys(limit: Int, completion: @escaping Completion<[APIKeyRecord]>) {
        reads.read(APIKeyQuery.recent(limit: limit), completion, APIKeyQuery.read)
    }

    /// Those of these keys that there are.
    public func keys(_ ids: [String], completion: @escaping Completion<[APIKeyRecord]>) {
        judgements.read(APIKeyQuery.many(ids), completion, APIKeyQuery.read)
    }

    /// An account's keys (everybody's if it is `nil`), the revoked ones too, in the order of their ids; one more than the
    /// limit if there are more.
    public func keys(account: Int64?, after id: String?, limit: Int, completion: @escaping Completion<[APIKeyRecord]>) {
        reads.read(APIKeyQuery.page(account: account, after: id, limit: limit), completion, APIKeyQuery.read)
    }

    /// The key as it is then; `nil` if the account (any if it is `nil`) has none with this id.
    public func revokeKey(_ id: String, account: Int64?, at time: UnixTime, completion: @escaping Completion<APIKeyRecord?>) {
        records.read(APIKeyQuery.revoke(id, account: account, at: time), completion) { APIKeyQuery.read($0).first }
    }

    /// Gives a key another secret, once for a claim. The key as it is then; `nil` if the account (any if it is `nil`) has none that is valid.
    public func rotateKey(
        _ id: String, account: Int64?, to hash: Bytes32, previousUntil: UnixTime, at time: UnixTime, for lease: ClaimLease? = nil,
        completion: @escaping Completion<APIKeyRecord?>
    ) {
        records.read(APIKeyQuery.rotate(id, account: account, to: hash, previousUntil: previousUntil, at: time, for: lease), completion) {
            APIKeyQuery.read($0).first
        }
    }

    /// When these keys were used last.
    public func noteUse(_ times: [String: UnixTime], completion: @escaping Completion<Void>) {
        records.read(APIKeyQuery.used(times), completion) { _ in }
    }

    // MARK: Audit log

    /// Writes them all or none; those that are written already are left out.
    public func appendAudit(_ audited: [AuditRecord], completion: @escaping Completion<Void>) {
        records.read(AuditQuery.insert(audited), completion) { _ in }
    }

    /// An account's (everybody's if it is `nil`), newest first; one more than the limit if there are more.
    public func audit(account: Int64?, before id: String?, limit: Int, completion: @escaping Completion<[AuditRecord]>) {
        reads.read(AuditQuery.page(account: account, before: id, limit: limit), completion, AuditQuery.read)
    }

    /// Forgets the oldest rows whose ids come before this one; how many those were.
    public func forgetAudit(before id: String, completion: @escaping Completion<Int>) {
        records.read(AuditQuery.forget(before: id), completion, \.affected)
    }

    // MARK: Claims

    /// No two of these may have the same account and key. Answered in their order.
    public func claim(_ wanted: [ClaimRequest], completion: @escaping Completion<[ClaimOutcome]>) {
        records.read(ClaimQuery.claim(wanted), completion) { ClaimQuery.read($0, wanted) }
    }

    /// Whether each is the claim's answer now; `false` where the claim has another holder or another answer.
    public func answerClaims(_ answers: [ClaimAnswer], completion: @escaping Completion<[Bool]>) {
        records.read(ClaimQuery.answer(answers), completion, ClaimQuery.readAnswered)
    }

    /// What was claimed was not carried out, or not certainly.
    public func freeClaim(_ lease: ClaimLease, completion: @escaping Completion<Void>) {
        records.read(ClaimQuery.free(lease), completion) { _ in }
    }

    /// Forgets the oldest claims; how many those were.
    public func forgetClaims(before time: UnixTime, completion: @escaping Completion<Int>) {
        records.read(ClaimQuery.forget(before: time), completion, \.affected)
    }

    // MARK: Open invoices

    /// Counts each of these that its key's limit admits; one that is counted already is counted once.
    public func count(_ invoices: [CountedInvoice], completion: @escaping Completion<[Bool]>) {
        records.read(OpenInvoiceQuery.count(invoices), completion) { $0.integers(0, 0).map { $0 == 1 } }
    }

    /// These have ended.
    public func uncount(_ hashes: [PaymentHash], completion: @escaping Completion<Void>) {
        records.read(OpenInvoiceQuery.uncount(hashes), completion) { _ in }
    }

    /// Uncounts all that have ended; whether any are counted still.
    public func settleUpCounts(completion: @escaping Completion<Bool>) {
        records.read([OpenInvoiceQuery.settleUp, OpenInvoiceQuery.isAny], completion) { $0[1].flag(0, 0) }
    }
}
