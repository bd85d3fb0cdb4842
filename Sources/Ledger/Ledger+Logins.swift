internal import Loop
public import Payments

extension Ledger {
    /// What became of a wallet's login.
    public enum LoginOutcome: Equatable, Sendable {
        case made
        /// This login was carried out before.
        case repeated
        /// The wallet may not log in.
        case unknownWallet
    }

    /// Makes the key of a login, if the wallet may. If it `claims` and no wallet may yet, it may from now on.
    public func login(
        _ wallet: PublicKey, _ key: APIKeyRecord, claims: Bool, completion: @escaping @LoopActor (Result<LoginOutcome, LedgerError>) -> Void
    ) {
        records.read(LoginQuery.login(wallet, key, claims: claims), completion) { rows in
            rows.flag(0, 1) ? .made : rows.flag(0, 0) ? .repeated : .unknownWallet
        }
    }

    /// No wallet may log in any more, and the next may claim the gateway. Says how many there were.
    public func forgetWallets(completion: @escaping @LoopActor (Result<Int, LedgerError>) -> Void) {
        records.read(LoginQuery.forget, completion, \.affected)
    }
}
