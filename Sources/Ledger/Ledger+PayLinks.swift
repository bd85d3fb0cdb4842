internal import Loop

extension Ledger {
    /// The link as it was stored; `nil` if its name is taken or the account has `limit` of them.
    public func insertPayLink(
        _ link: PayLinkRecord, limit: Int64, completion: @escaping @LoopActor (Result<PayLinkRecord?, LedgerError>) -> Void
    ) {
        records.read(PayLinkQuery.insert(link, limit: limit), completion) { PayLinkQuery.read($0).first }
    }

    /// By its id or, of an address, its name. `nil` if the account has no such link; so with those that follow.
    public func payLink(_ id: String, account: Int64, completion: @escaping @LoopActor (Result<PayLinkRecord?, LedgerError>) -> Void) {
        records.read(PayLinkQuery.one(id, account: account), completion) { PayLinkQuery.read($0).first }
    }

    /// An account's links, or its addresses, after one's number, oldest first.
    public func payLinks(
        account: Int64, addresses: Bool, after number: Int64, limit: Int,
        completion: @escaping @LoopActor (Result<[PayLinkRecord], LedgerError>) -> Void
    ) {
        records.read(PayLinkQuery.page(account: account, addresses: addresses, after: number, limit: Int64(limit)), completion, PayLinkQuery.read)
    }

    public func updatePayLink(_ link: PayLinkRecord, completion: @escaping @LoopActor (Result<PayLinkRecord?, LedgerError>) -> Void) {
        records.read(PayLinkQuery.update(link), completion) { PayLinkQuery.read($0).first }
    }

    public func deletePayLink(_ id: String, account: Int64, completion: @escaping @LoopActor (Result<PayLinkRecord?, LedgerError>) -> Void) {
        records.read(PayLinkQuery.delete(id, account: account), completion) { PayLinkQuery.read($0).first }
    }

    /// Links that were changed after a version, in the order of their versions, at most a thousand. After zero: all there are.
    public func payLinks(changedAfter version: Int64, completion: @escaping @LoopActor (Result<[PayLinkRecord], LedgerError>) -> Void) {
        records.read(PayLinkQuery.changed(after: version), completion, PayLinkQuery.read)
    }
}
