internal import Ledger
internal import Loop
internal import Payments

/// For which accounts somebody listens for accepted payments, at whatever process: those say it in the store as long as it is so,
/// and the leader reads it.
///
/// Off, unless the operator wants it: then nothing is written or read, and everybody counts as listening.
@LoopActor
final class Attendance {
    /// For so long after the last one has gone it is hoped that he comes back, as lnmux does.
    static let graceMilliseconds: Int64 = 30_000
    /// How often it is said, in rounds of ``review(leads:)``.
    private static let interval = 5

    private let ledger: Ledger
    private let isRequired: Bool
    private var listening: [Int64: Int] = [:]
    private var attended: Set<Int64> = []
    private var rounds = 0

    init(ledger: Ledger, isRequired: Bool) {
        self.ledger = ledger
        self.isRequired = isRequired
    }

    /// Whether a set may begin. What is stored is not lnmux's kind of invoice: whoever decides about it may hear of it otherwise.
    func isAttended(_ terms: InvoiceTerms) -> Bool {
        guard isRequired, terms.settlement == .hold, !terms.isStored else { return true }
        return attended.contains(terms.account)
    }

    func joined(_ account: Int64) {
        listening[account, default: 0] += 1
        tell([account])
        attended.insert(account)
    }

    func left(_ account: Int64) {
        listening[account, default: 0] -= 1
        if listening[account] == 0 { listening[account] = nil }
        tell([account])
    }

    /// Called every second.
    func review(leads: Bool) {
        rounds += 1
        if rounds % Self.interval == 0 { tell(Set(listening.keys)) }
        if leads { read {} }
    }

    /// Before anything is judged. What was known stands while the store is away.
    func read(_ done: @escaping @LoopActor () -> Void) {
        guard isRequired else { return done() }
        ledger.attendedAccounts(withinMilliseconds: Self.graceMilliseconds) { [self] result in
            if case .success(let accounts) = result { attended = accounts.union(listening.keys) }
            done()
        }
    }

    private func tell(_ accounts: Set<Int64>) {
        guard isRequired, !accounts.isEmpty else { return }
        ledger.tellAttendance(accounts) { _ in }
    }
}
