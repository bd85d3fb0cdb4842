/// Decides what is done for one payout.
///
/// What it guarantees: a node is asked only after the attempt that names it is durable, and once; another node is named
/// only after the one before has failed for certain; whatever is not certain is asked after, at the node that was named.
///
/// `at` is a clock that never goes back. Facts about another attempt than the present one say nothing.
public struct PayoutMachine: Equatable, Sendable {
    private enum Contact: Equatable {
        case none
        /// The call that asks to pay is open.
        case sending(since: UnixTime)
        /// The call that asks what became of it is open.
        case following
        case waiting(until: UnixTime)
    }

    private enum Verdict: Equatable {
        case settled(Preimage, fee: Millisatoshis)
        case failed(PayoutFailure)
    }

    public let policy: PayoutPolicy
    /// As far as it is durable.
    public private(set) var payout: Payout
    private var contact = Contact.none
    /// What is being made durable.
    private var writing: PayoutChange?
    /// How the attempt has ended.
    private var verdict: Verdict?
    /// Since when it is not known whether the node was asked.
    private var darkSince: UnixTime?
    /// The node has told that it knows the payment.
    private var isKnownToNode = false
    private var takenUpAt: UnixTime
    private var pauses = 0

    public init(_ payout: Payout, policy: PayoutPolicy, at now: UnixTime) {
        self.payout = payout
        self.policy = policy
        takenUpAt = now
    }

    /// Ended, and durably so.
    public var isOver: Bool { payout.state.isFinal }

    /// No attempt begins after this.
    private var deadline: UnixTime { takenUpAt.advanced(byMilliseconds: payout.intent.timeoutSeconds * 1000) }

    /// For how long a node that is asked now shall look for ways.
    public func secondsLeft(at now: UnixTime) -> Int64 { max(1, (deadline.milliseconds - now.milliseconds + 999) / 1000) }

    // MARK: Facts

    /// The payout is this process' to carry out: a new one, or one that was left behind.
    public mutating func takenUp(at now: UnixTime) -> [PayoutOrder] {
        takenUpAt = now
        switch payout.state {
        case .created: return [.choose(excluding: payout.tried)]
        case .sending, .unknown:
            darkSince = now
            return follow() + proceed(at: now)
        case .settled, .failed: return []
        }
    }

    /// The answer to `choose`. `mayChange`: a node that is none now may be one later.
    public mutating func chose(_ node: PublicKey?, mayChange: Bool, at now: UnixTime) -> [PayoutOrder] {
        guard payout.state == .created, writing == nil else { return [] }
        if let expiry = payout.intent.expiresAt, expiry <= now { return commit(.fail(.invoiceExpired), at: now) }
        guard now < deadline else { return commit(.fail(payout.failure ?? .noNode), at: now) }
        guard let node, !payout.tried.contains(node) else {
            guard mayChange else { return commit(.fail(payout.failure ?? .noNode), at: now) }
            contact = .waiting(until: now.advanced(byMilliseconds: policy.pause))
            return []
        }
        return commit(.send(node), at: now)
    }

    /// The change is durable. `elapsed`: since it was ordered, in milliseconds, by whichever clock says more.
    public mutating func stored(_ change: PayoutChange, elapsed: Int64, at now: UnixTime) -> [PayoutOrder] {
        guard writing == change, let next = payout.applying(change) else { return [] }
        writing = nil
        payout = next
        switch change.step {
        case .send(let node):
            verdict = nil
            isKnownToNode = false
            darkSince = nil
            pauses = 0
            guard elapsed <= policy.sendWindow else {
                // Nobody but this process could ask, and it does not.
                verdict = .failed(.notStarted)
                return proceed(at: now)
            }
            contact = .sending(since: now)
            return [.send(node, attempt: change.attempt)]
        case .doubt: return proceed(at: now)
        case .retry:
            contact = .none
            verdict = nil
            return [.choose(excluding: payout.tried)]
        case .settle, .fail:
            contact = .none
            return []
        }
    }

    /// The store does not admit the change.
    public mutating func refused(_ change: PayoutChange) -> [PayoutOrder] { writing == change ? [.reload] : [] }

    /// A node has told of the payment, in either call.
    public mutating func answered(_ attempt: Int64, _ answer: PayoutAnswer, at now: UnixTime) -> [PayoutOrder] {
        guard attempt == payout.attempt, payout.isUnderWay, verdict == nil else { return [] }
        switch answer {
        case .inFlight:
            isKnownToNode = true
            return []
        case .settled(let preimage, let fee): verdict = .settled(preimage, fee: fee)
        case .failed(let failure):
            // It may be an earlier payment that failed, and this one may still arrive.
            guard isCertain(at: now) else { return [] }
            verdict = .failed(failure)
        }
        return proceed(at: now)
    }

    /// A call is over; its last answers have been told.
    public mutating func ended(_ attempt: Int64, _ end: PayoutEnd, at now: UnixTime) -> [PayoutOrder] {
        guard attempt == payout.attempt, payout.isUnderWay, verdict == nil else { return [] }
        let wasSending: Bool
        switch contact {
        case .sending: wasSending = true
        case .following: wasSending = false
        case .none, .waiting: return []
        }
        contact = .none
        switch end {
        case .notBegun(let failure) where wasSending && !isKnownToNode:
            verdict = .failed(failure)
            return proceed(at: now)
        case .exists where wasSending:
            isKnownToNode = true
            if darkSince == nil { darkSince = now }
            return follow() + proceed(at: now)
        case .notFound where !wasSending && !isKnownToNode && isCertain(at: now):
            verdict = .failed(.notStarted)
            return proceed(at: now)
        case .notBegun, .exists, .notFound, .lost:
            if darkSince == nil { darkSince = now }
            // What a call has just lost is asked for at once.
            if wasSending { return follow() + proceed(at: now) }
            contact = .waiting(until: now.advanced(byMilliseconds: min(policy.longestPause, policy.pause << Int64(min(pauses, 10)))))
            pauses += 1
            return proceed(at: now)
        }
    }

    /// The node can be asked again.
    public mutating func nodeReturned(_ node: PublicKey, at now: UnixTime) -> [PayoutOrder] {
        guard case .waiting = contact else { return [] }
        switch payout.state {
        case .created: return choose()
        case .sending, .unknown:
            guard node == payout.node, verdict == nil else { return [] }
            pauses = 0
            return follow()
        case .settled, .failed: return []
        }
    }

    public mutating func timeReached(_ now: UnixTime) -> [PayoutOrder] {
        switch contact {
        case .none, .following: return []
        case .sending(let since):
            let limit = since.advanced(byMilliseconds: payout.intent.timeoutSeconds * 1000 + policy.patience)
            guard now >= limit, payout.state == .sending, writing == nil, verdict == nil else { return [] }
            // The call stays open: its answer still counts.
            return commit(.doubt, at: now)
        case .waiting(let until):
            guard now >= until, verdict == nil else { return [] }
            return payout.state == .created ? choose() : follow()
        }
    }

    // MARK: What follows

    /// Whether a node that says that nothing was paid, and nothing is on its way, can be believed.
    private func isCertain(at now: UnixTime) -> Bool {
        guard !isKnownToNode, let darkSince else { return true }
        return now.milliseconds - darkSince.milliseconds >= policy.lookupGrace
    }

    private mutating func choose() -> [PayoutOrder] {
        contact = .none
        return [.choose(excluding: payout.tried)]
    }

    private mutating func follow() -> [PayoutOrder] {
        guard let node = payout.node else { return [] }
        contact = .following
        return [.follow(node, attempt: payout.attempt)]
    }

    private mutating func proceed(at now: UnixTime) -> [PayoutOrder] {
        guard writing == nil else { return [] }
        switch verdict {
        case .settled(let preimage, let fee): return commit(.settle(preimage, fee: fee), at: now)
        case .failed(let failure):
            let goesOn = failure.mayBeTriedElsewhere && payout.intent.onlyNode == nil && now < deadline
            return commit(goesOn ? .retry(failure) : .fail(failure), at: now)
        case nil:
            guard darkSince != nil, payout.state == .sending else { return [] }
            return commit(.doubt, at: now)
        }
    }

    private mutating func commit(_ step: PayoutChange.Step, at now: UnixTime) -> [PayoutOrder] {
        var attempt = payout.attempt
        if case .send = step { attempt += 1 }
        let change = PayoutChange(id: payout.intent.id, attempt: attempt, step: step, time: now)
        writing = change
        contact = payout.state == .created ? .none : contact
        return [.commit(change)]
    }
}
