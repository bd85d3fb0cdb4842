internal import Loop
public import Payments

extension Ledger {
    public func insertAddressRequest(
        _ request: AddressRequestRecord, completion: @escaping @LoopActor (Result<AddressRequestRecord?, LedgerError>) -> Void
    ) {
        records.read(AddressRequestQuery.insert(request), completion, AddressRequestQuery.read)
    }

    /// Of the account, or anybody's.
    public func addressRequest(
        _ id: String, account: Int64?, completion: @escaping @LoopActor (Result<AddressRequestRecord?, LedgerError>) -> Void
    ) {
        records.read(AddressRequestQuery.one(id, account: account), completion, AddressRequestQuery.read)
    }

    /// `false` if another address was given before, or it is too late.
    public func answerAddressRequest(
        _ id: String, _ address: String, at time: UnixTime, completion: @escaping @LoopActor (Result<Bool, LedgerError>) -> Void
    ) {
        records.read(AddressRequestQuery.answer(id, address, at: time), completion) { $0.count == 1 }
    }
}
