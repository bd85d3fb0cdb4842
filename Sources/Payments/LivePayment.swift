/// What the machine remembers of one payment hash while anything about it is undecided or unresolved.
struct LivePayment: Equatable, Sendable {
    enum Phase: Equatable, Sendable {
        /// Parts come in, since the time of the first one.
        case collecting(since: UnixTime)
        /// The complete set is on its way to the store; with `settling` the decision to settle goes with it.
        case accepting(ChangeID, SetID, settling: Bool)
        /// The complete set is durable and somebody has to decide.
        case accepted(SetID, since: UnixTime)
        /// The decision to settle an accepted set is on its way to the store. From here on no part may be failed.
        case requestingSettlement(ChangeID, SetID)
        /// The parts are let go as soon as that is durable.
        case releasing(ChangeID, SetID, Rejection)
        /// The same for a set whose settlement may have reached the store or may reach it yet: until this is durable, no
        /// part may be failed. `nil` while the store could not take it.
        case voiding(ChangeID?, SetID)
        case canceling(ChangeID, SetID?)
        case expiring(ChangeID)
        /// The decision to settle is durable. Every part is settled, now and on every replay.
        case settled(SetID)
    }

    struct Part: Equatable, Sendable {
        var htlc: HeldHTLC
        /// The node's stream that offered it is still the current one, so that it can be answered.
        var isAttached: Bool
        var receivedHeight: UInt32
        /// As the node told it, or as it is on its way to the store.
        var resolution: Resolution?
        /// The resolution was ordered to be stored.
        var isResolved = false
    }

    /// An HTLC that can only be judged when the store has said whether it belonged to an earlier settlement.
    struct Suspect: Equatable, Sendable {
        var htlc: HeldHTLC
        var rejection: Rejection
        var receivedHeight: UInt32
    }

    struct Request: Equatable, Sendable {
        enum Wish: Equatable, Sendable { case settle, cancel }
        var id: RequestID
        var wish: Wish
        var setID: SetID?
    }

    var terms: InvoiceTerms
    /// Known from the first HTLC that was offered; a restored set has none until then.
    var preimage: Preimage?
    /// Of the first part that brought one.
    var note: PayerNote?
    var phase: Phase
    var parts: [Part] = []
    var suspects: [Suspect] = []
    /// Those who wait for the change that is on its way.
    var requests: [Request] = []
    /// The store was asked and has not answered.
    var isLookingUp = false
    /// What the store knows cannot contradict the phase.
    var isKnown = false
    /// How many resolutions are on their way to the store. While there are any, it does not know how the payment ended.
    var unconfirmedResolutions = 0
    /// The change that is on its way was ordered back.
    var isWithdrawing = false

    /// The parts that count towards the total: those that can be answered off chain.
    var received: Millisatoshis {
        parts.reduce(.zero) { $1.isAttached && !$1.htlc.isOnChain ? $0 + $1.htlc.amount : $0 }
    }

    func index(of circuitKey: CircuitKey) -> Int? { parts.firstIndex { $0.htlc.circuitKey == circuitKey } }
}
