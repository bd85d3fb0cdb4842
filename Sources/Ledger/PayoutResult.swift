public import Payments

/// What became of the wish to pay.
public enum PayoutCreation: Equatable, Sendable {
    case made
    /// Made by an earlier attempt of the same request.
    case repeated
    /// The payment hash has another payout, whatever has become of it.
    case hashIsTaken
    /// What it is for has another payout that is not failed.
    case purposeIsTaken
    case balanceTooLow
    case budgetTooLow
    /// The payment hash is that of an invoice of this gateway.
    case ownInvoice
    /// The account has as many under way as it may have.
    case tooManyUnderWay
}

/// What became of a payout's change.
public enum PayoutCommit: Equatable, Sendable {
    /// Durable, now or since an earlier attempt of this term.
    case stored
    case refused
    case deposed
}

/// What an account has received and spent through the gateway.
public struct AccountBalance: Equatable, Sendable {
    public var received: Millisatoshis
    public var spent: Millisatoshis
    /// Of payouts that have not ended.
    public var reserved: Millisatoshis

    public init(received: Millisatoshis = .zero, spent: Millisatoshis = .zero, reserved: Millisatoshis = .zero) {
        self.received = received
        self.spent = spent
        self.reserved = reserved
    }

    /// What is left; below zero if the account may spend what it has not received, or a node took more than it was allowed to.
    public var available: Int64 {
        Int64(clamping: received.value) - Int64(clamping: spent.value) - Int64(clamping: reserved.value)
    }
}

/// Some of an account's payouts, in the order in which they were made.
public struct PayoutPage: Equatable, Sendable {
    public var payouts: [Payout]
    public var next: Int64?
}
