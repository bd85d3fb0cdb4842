public import Payments

/// What is wanted of the leader at a process that does not lead.
public struct LeaderRequest: Equatable, Sendable {
    public enum Wish: Equatable, Sendable {
        case settle(PaymentHash, SetID?)
        case cancel(PaymentHash, SetID?)
        case drain(PublicKey)
        case resume(PublicKey)
    }

    /// Drawn by whoever asks.
    public var id: Bytes32
    public var wish: Wish

    public init(id: Bytes32, wish: Wish) {
        self.id = id
        self.wish = wish
    }
}

/// How a request stood when whoever asked gave it up.
public enum AbandonedRequest: Equatable, Sendable {
    case answered(String)
    /// Nobody has begun it, and nobody will.
    case untouched
    /// A leader has begun it; what became of it is not known.
    case begun
}
