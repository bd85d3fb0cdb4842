import Payments

/// A payment that a simulated node sends, as LND keeps it: one for a hash.
struct OutgoingPayment: Equatable, Sendable {
    enum State: Equatable, Sendable {
        case inFlight
        case succeeded(Preimage)
        case failed(Int)
    }

    /// By which the node's list goes on.
    var number: UInt64
    var paymentHash: PaymentHash
    var request: String
    var amount: Millisatoshis
    var fee: Millisatoshis
    var state: State
    var createdAt: UnixTime
}

/// How the next payment of a node shall go. Each plan is used once, in order; without one a payment succeeds at once.
struct PaymentPlan: Equatable, Sendable {
    enum Outcome: String, Sendable { case succeed, fail }
    /// What happens to the connection, or the node, around the moment at which the payment is begun.
    enum Accident: String, Sendable {
        case none
        /// The connection is cut before it was begun, or when it is.
        case breakBefore = "break_before"
        case breakAfter = "break_after"
        /// The node dies before, or when it was begun.
        case dieBefore = "die_before"
        case dieAfter = "die_after"
        /// It is begun, and the call is answered as a duplicate: as if it had arrived twice.
        case exists
    }

    var outcome = Outcome.succeed
    /// LND's number of why it failed; 2 is no route.
    var failure = 2
    /// `nil`: a thousandth of the amount, and not more than the limit.
    var fee: Millisatoshis?
    /// How long it is in flight; `nil` for as long as nobody ends it.
    var milliseconds: UInt64? = 0
    var accident = Accident.none
    /// After how long a node that died comes back.
    var downMilliseconds: UInt64 = 200
}
