/// What a payout's machine wants done.
public enum PayoutOrder: Equatable, Sendable {
    /// Name a node that has the means and is none of these.
    case choose(excluding: [PublicKey])
    /// Make it durable and tell the outcome.
    case commit(PayoutChange)
    /// Ask the node to pay. Ordered once in an attempt, after the attempt is durable, and never again.
    case send(PublicKey, attempt: Int64)
    /// Ask the node what became of it.
    case follow(PublicKey, attempt: Int64)
    /// What is stored is not what this machine knows: let go of it and read it again.
    case reload
}

/// What a node says of a payment.
public enum PayoutAnswer: Equatable, Sendable {
    case inFlight
    case settled(Preimage, fee: Millisatoshis)
    case failed(PayoutFailure)
}

/// How a call ended that has told no end of the payment.
public enum PayoutEnd: Equatable, Sendable {
    /// The node was asked to pay, and says that it did not begin, or it never was asked.
    case notBegun(PayoutFailure)
    /// The node was asked to pay, and knows the payment already.
    case exists
    /// The node was asked what became of it, and knows no such payment.
    case notFound
    /// It was not told, or not understood.
    case lost
}
