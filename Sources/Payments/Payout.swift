/// Names a payout for ever. Made from what asked for it, so that the same request names the same one.
public struct PayoutID: Hashable, Sendable, CustomStringConvertible {
    public var text: String
    public init(_ text: String) { self.text = text }
    public var description: String { text }
}

/// How far a payout has come. `unknown` is a state of its own and never `failed`: the money may be on its way.
public enum PayoutState: String, CaseIterable, Sendable {
    /// Its amount and fees are reserved; no node has been asked.
    case created
    /// A node was named and, it may be, asked.
    case sending
    /// A node was asked, and what came of it is not known now.
    case unknown
    case settled
    case failed

    public var isFinal: Bool { self == .settled || self == .failed }
}

/// What somebody wants paid. Never changes.
public struct PayoutIntent: Equatable, Sendable {
    public var id: PayoutID
    public var account: Int64
    /// The API key that asked, if it was one; its budget is charged.
    public var keyID: String?
    /// For what, by whoever calls; of one purpose at most one payout is not failed.
    public var purpose: String?
    public var paymentHash: PaymentHash
    public var destination: PublicKey
    public var amount: Millisatoshis
    public var feeLimit: Millisatoshis
    /// `nil` for a payment to a key.
    public var paymentRequest: String?
    /// The amount has to be told with the payment request, which leaves it open.
    public var amountIsOpen: Bool
    /// What the payee of a payment to a key is sent; such a payment's preimage is ours.
    public var spontaneous: Preimage?
    /// What the payee gets with the payment, by type.
    public var customRecords: [UInt64: [UInt8]]
    /// How long ways are looked for.
    public var timeoutSeconds: Int64
    /// The only node that may pay, if the caller says so.
    public var onlyNode: PublicKey?
    public var createdAt: UnixTime
    /// When the invoice expires.
    public var expiresAt: UnixTime?

    public init(
        id: PayoutID, account: Int64, keyID: String? = nil, purpose: String? = nil, paymentHash: PaymentHash, destination: PublicKey,
        amount: Millisatoshis, feeLimit: Millisatoshis, paymentRequest: String? = nil, amountIsOpen: Bool = false, spontaneous: Preimage? = nil,
        customRecords: [UInt64: [UInt8]] = [:], timeoutSeconds: Int64 = 60, onlyNode: PublicKey? = nil, createdAt: UnixTime, expiresAt: UnixTime? = nil
    ) {
        self.id = id
        self.account = account
        self.keyID = keyID
        self.purpose = purpose
        self.paymentHash = paymentHash
        self.destination = destination
        self.amount = amount
        self.feeLimit = feeLimit
        self.paymentRequest = paymentRequest
        self.amountIsOpen = amountIsOpen
        self.spontaneous = spontaneous
        self.customRecords = customRecords
        self.timeoutSeconds = timeoutSeconds
        self.onlyNode = onlyNode
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }

    /// What is set aside until the end is known.
    public var reserve: Millisatoshis { amount + feeLimit }
}

/// A payout as it is stored.
public struct Payout: Equatable, Sendable {
    public var intent: PayoutIntent
    public var state: PayoutState
    /// Counts the nodes that were named for it, from one.
    public var attempt: Int64
    /// The node of the last attempt.
    public var node: PublicKey?
    /// Nodes on which it has failed for certain.
    public var tried: [PublicKey]
    public var fee: Millisatoshis?
    /// What proves the payment.
    public var preimage: Preimage?
    /// Of the last attempt that failed.
    public var failure: PayoutFailure?
    public var updatedAt: UnixTime

    public init(
        intent: PayoutIntent, state: PayoutState = .created, attempt: Int64 = 0, node: PublicKey? = nil, tried: [PublicKey] = [],
        fee: Millisatoshis? = nil, preimage: Preimage? = nil, failure: PayoutFailure? = nil, updatedAt: UnixTime? = nil
    ) {
        self.intent = intent
        self.state = state
        self.attempt = attempt
        self.node = node
        self.tried = tried
        self.fee = fee
        self.preimage = preimage
        self.failure = failure
        self.updatedAt = updatedAt ?? intent.createdAt
    }

    /// A node was named, and it is not known how it ended.
    public var isUnderWay: Bool { state == .sending || state == .unknown }

    /// What the node took in fees beyond the limit that it was given, which no node should.
    public var feeBeyondLimit: Millisatoshis { (fee ?? .zero).beyond(intent.feeLimit) }

    /// The payout after the change; `nil` if its present state does not admit it. The store decides by the same rules.
    public func applying(_ change: PayoutChange) -> Payout? {
        var next = self
        next.updatedAt = change.time
        switch change.step {
        case .send(let node):
            guard state == .created, change.attempt == attempt + 1 else { return nil }
            next.attempt = change.attempt
            next.node = node
            next.state = .sending
        case .doubt:
            guard state == .sending, change.attempt == attempt else { return nil }
            next.state = .unknown
        case .settle(let preimage, let fee):
            guard isUnderWay, change.attempt == attempt else { return nil }
            next.state = .settled
            next.preimage = preimage
            next.fee = fee
            next.failure = nil
        case .retry(let failure):
            guard isUnderWay, change.attempt == attempt, let node else { return nil }
            next.state = .created
            next.tried.append(node)
            next.failure = failure
        case .fail(let failure):
            guard isUnderWay || state == .created, change.attempt == attempt else { return nil }
            next.state = .failed
            next.failure = failure
        }
        return next
    }
}
