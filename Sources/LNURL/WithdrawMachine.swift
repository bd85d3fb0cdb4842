public import Payments

/// One use of a withdraw link, from the offer to its end: facts in (past tense), orders out (imperative).
///
/// The store decides who claims: a compare-and-set on the state, with the payment hash unique among all payments. Nothing is paid that is
/// not claimed there, and the use is free again only when a payment has definitely failed. What is not known is asked about,
/// for as long as it takes.
public struct WithdrawMachine: Equatable, Sendable {
    public enum State: Equatable, Sendable {
        case offered
        /// On its way to the store, with those who wait for its answer.
        case claiming(WithdrawClaim, [CallerID])
        /// Durable, and handed over to be paid: what becomes of it will be told.
        case claimed(WithdrawClaim)
        /// Nobody has said how it ended: the node, or a process that has ended meanwhile.
        case unknown(WithdrawClaim)
        case settled(WithdrawClaim, fee: Millisatoshis)
        /// It has failed for good and is on its way to be offered again.
        case releasing(WithdrawClaim)
        /// Its owner has taken it back.
        case withdrawn
    }

    /// A wallet's request that waits for its answer.
    public struct CallerID: Hashable, Sendable {
        public var number: UInt64
        public init(_ number: UInt64) { self.number = number }
    }

    public enum Order: Equatable, Sendable {
        case accept(CallerID)
        case refuse(CallerID, LNURLRefusal)
        /// Compare-and-set from offered; debits what the claim reserves in the same transaction.
        case claim(WithdrawClaim)
        /// With the payment hash as the node's idempotency key.
        case pay(WithdrawClaim)
        /// What has become of this payment?
        case inquire(PaymentHash)
        /// Durable before anybody is told; gives back what was reserved beyond the fee.
        case conclude(WithdrawClaim, fee: Millisatoshis)
        /// Back to offered; gives back all that was reserved.
        case release(WithdrawClaim)
        /// Looks what the store holds.
        case read
    }

    /// What a node says of a payment.
    public enum Finding: Equatable, Sendable {
        case settled(fee: Millisatoshis)
        /// Definitely, and for good.
        case failed
        case inFlight
        /// It has never heard of it.
        case unheard
        /// It could not be asked, or did not say.
        case unknown
    }

    public private(set) var state: State

    public init(state: State = .offered) { self.state = state }

    /// What is stored of it now, at a start or because the answer to a claim was lost.
    public mutating func restored(_ stored: State) -> [Order] {
        var waiting: [CallerID] = []
        var wanted: WithdrawClaim?
        if case .claiming(let claim, let callers) = state { (wanted, waiting) = (claim, callers) }
        state = stored
        switch stored {
        case .offered:
            // The claim did not arrive, and its sender cannot bring it any more: it may be tried again.
            return waiting.map { .refuse($0, .unavailable) }
        case .claimed(let claim), .unknown(let claim):
            // Whoever was to pay it is gone.
            state = .unknown(claim)
            return waiting.map { answer($0, claim == wanted) } + [.inquire(claim.paymentHash)]
        case .settled(let claim, _):
            return waiting.map { answer($0, claim == wanted) }
        case .releasing(let claim):
            return waiting.map { .refuse($0, .unavailable) } + [.release(claim)]
        case .claiming, .withdrawn:
            return waiting.map { .refuse($0, .disabled) }
        }
    }

    /// A wallet has sent an invoice that the terms admit.
    public mutating func asked(_ claim: WithdrawClaim, by caller: CallerID) -> [Order] {
        switch state {
        case .offered:
            state = .claiming(claim, [caller])
            return [.claim(claim)]
        case .claiming(let other, let waiting):
            guard other.paymentRequest == claim.paymentRequest else { return [.refuse(caller, .alreadyUsed)] }
            state = .claiming(other, waiting + [caller])
            return []
        case .claimed(let other), .unknown(let other), .settled(let other, _):
            return [answer(caller, other.paymentRequest == claim.paymentRequest)]
        case .releasing:
            return [.refuse(caller, .unavailable)]
        case .withdrawn:
            return [.refuse(caller, .disabled)]
        }
    }

    /// The store has taken the claim, or refused it because somebody else's came first; `nil` if its answer was lost.
    public mutating func claimAnswered(isTaken: Bool?) -> [Order] {
        guard case .claiming(let claim, let waiting) = state else { return [] }
        guard isTaken == true else { return [.read] }
        state = .claimed(claim)
        return waiting.map { .accept($0) } + [.pay(claim)]
    }

    /// The payment hash stands in another payment already: this claim can never be carried out.
    public mutating func claimRefused() -> [Order] {
        guard case .claiming(_, let waiting) = state else { return [] }
        state = .offered
        return waiting.map { .refuse($0, .invoice(.alreadyPaid)) }
    }

    /// What a payment came to, or a question about it.
    public mutating func found(_ finding: Finding) -> [Order] {
        switch state {
        case .claimed(let claim), .unknown(let claim):
            switch finding {
            case .settled(let fee):
                state = .settled(claim, fee: fee)
                return [.conclude(claim, fee: fee)]
            case .failed:
                state = .releasing(claim)
                return [.release(claim)]
            case .unheard:
                // Claimed and never sent: the same invoice, and no other, is paid. What is on its way to a node may not have been heard of yet.
                guard case .unknown = state else { return [] }
                state = .claimed(claim)
                return [.pay(claim)]
            case .inFlight:
                return []
            case .unknown:
                state = .unknown(claim)
                return []
            }
        case .offered, .claiming, .settled, .releasing, .withdrawn:
            return []
        }
    }

    /// Time has passed: what is not known is asked about again.
    public func waited() -> [Order] {
        switch state {
        case .unknown(let claim): [.inquire(claim.paymentHash)]
        case .releasing(let claim): [.release(claim)]
        case .offered, .claiming, .claimed, .settled, .withdrawn: []
        }
    }

    /// It is durable that the use is free.
    public mutating func released() {
        if case .releasing = state { state = .offered }
    }

    /// Its owner takes it back; nothing stops a payment that is under way.
    public mutating func takenBack() -> Bool {
        guard state == .offered else { return false }
        state = .withdrawn
        return true
    }

    private func answer(_ caller: CallerID, _ isSame: Bool) -> Order {
        isSame ? .accept(caller) : .refuse(caller, .alreadyUsed)
    }
}
