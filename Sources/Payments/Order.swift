/// Names a change that was ordered, so that its outcome finds its way back.
public struct ChangeID: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.number < rhs.number }
}

/// Names somebody's request to settle or cancel, so that the answer finds its way back.
public struct RequestID: Hashable, Sendable, BitwiseCopyable {
    public var number: UInt64
    public init(_ number: UInt64) { self.number = number }
}

/// What the machine wants done.
public enum Order: Equatable, Sendable {
    /// Nothing is answered yet; the HTLC stays where it is.
    case hold(CircuitKey)
    /// Release the preimage. Only ever ordered when the settlement is durable.
    case settle(CircuitKey, Preimage)
    /// `height` is the best block when the HTLC was received: the payer is told it (BOLT 4).
    case fail(CircuitKey, Rejection, amount: Millisatoshis, height: UInt32)
    /// Make it durable and tell the outcome.
    case persist(ChangeID, Change)
    /// Do not carry the change out if that can still be helped; its outcome tells whether it could.
    case withdraw(ChangeID)
    /// Ask the store what it knows of the hash.
    case lookUp(PaymentHash)
    case reply(RequestID, Reply)
}

/// The answer to a request to settle or cancel.
public enum Reply: Equatable, Sendable {
    case done
    /// No complete set is waiting for a decision.
    case notAccepted
    /// The set that waits is another one.
    case otherSet
    /// It was settled, canceled or has expired before, or a deadline is too near.
    case tooLate
    /// A part of the set is on a node that cannot be reached now; ask again.
    case nodeAway
    /// There is no such invoice.
    case unknownInvoice
}
