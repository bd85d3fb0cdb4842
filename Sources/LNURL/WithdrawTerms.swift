public import Bolt
public import Payments
internal import Wire

/// Why an invoice is not paid out (LUD-03).
public enum WithdrawRefusal: Error, Equatable, Sendable {
    case unreadable
    case otherNetwork
    case noAmount
    case outside(minimum: UInt64, maximum: UInt64)
    /// What is left does not cover the amount and its fee.
    case balance
    case expired
    /// The gateway would pay itself.
    case ownInvoice
    case finalDelta
    case routeHints
    case alreadyPaid
    case tooSmall

    public var reason: String {
        switch self {
        case .unreadable: "The invoice cannot be read"
        case .otherNetwork: "The invoice is for another network"
        case .noAmount: "The invoice has to name an amount"
        case .outside(let minimum, let maximum): "The invoice has to be for \(minimum) to \(maximum) millisatoshis"
        case .balance: "There is not enough left for the amount and its fee"
        case .expired: "The invoice has expired, or is about to"
        case .ownInvoice: "The invoice is one of ours"
        case .finalDelta: "The invoice asks for too long a delay"
        case .routeHints: "The invoice has too many route hints"
        case .alreadyPaid: "The invoice has been used for another payment"
        case .tooSmall: "The amount is below what a payment costs"
        }
    }
}

/// What a payment out may cost: set aside with the amount, and told to the node as its limit. One number in both places.
public struct FeeReserve: Equatable, Sendable {
    public var least: Millisatoshis
    public var partsPerMillion: UInt64

    public init(least: Millisatoshis, partsPerMillion: UInt64) {
        self.least = least
        self.partsPerMillion = min(partsPerMillion, 1_000_000)
    }

    public func limit(for amount: Millisatoshis) -> Millisatoshis {
        let (high, low) = amount.value.multipliedFullWidth(by: partsPerMillion)
        // At most the amount itself, so it fits.
        let share = (UInt64(1_000_000)).dividingFullWidth((high, low)).quotient
        return max(least, Millisatoshis(share))
    }
}

/// A withdrawal that may be carried out: the invoice, and what it takes from the balance at most.
public struct WithdrawClaim: Equatable, Sendable {
    /// Lower case, without a scheme.
    public var paymentRequest: String
    public var paymentHash: PaymentHash
    public var amount: Millisatoshis
    public var feeLimit: Millisatoshis

    public init(paymentRequest: String, paymentHash: PaymentHash, amount: Millisatoshis, feeLimit: Millisatoshis) {
        self.paymentRequest = paymentRequest
        self.paymentHash = paymentHash
        self.amount = amount
        self.feeLimit = feeLimit
    }

    /// What the claim takes until its end is known.
    public var reserved: Millisatoshis { amount + feeLimit }
}

/// What a withdraw link gives (LUD-03), and which invoices it takes.
public struct WithdrawTerms: Equatable, Sendable {
    public var minimum: Millisatoshis
    public var maximum: Millisatoshis
    public var description: String
    public var reserve: FeeReserve
    /// What is left of it all; `nil` where only the uses are counted.
    public var balance: Millisatoshis?

    /// What a wallet needs to get its invoice paid.
    static let leastSecondsLeft: Int64 = 10
    static let mostFinalDelta: UInt64 = 1008
    static let mostRouteHints = 20

    public init(minimum: Millisatoshis, maximum: Millisatoshis, description: String, reserve: FeeReserve, balance: Millisatoshis? = nil) {
        self.minimum = minimum
        self.maximum = maximum
        self.description = description
        self.reserve = reserve
        self.balance = balance
    }

    /// The answer to the first request. `payLink` is where the balance is filled up again (LUD-19), written as `lnurlp://`;
    /// `balanceCheck` where it is asked for (LUD-14).
    public func document(callback: String, challenge: Bytes32, payLink: String? = nil, balanceCheck: String? = nil) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.field("tag", "withdrawRequest")
            json.field("callback", callback)
            json.field("k1", challenge)
            json.field("defaultDescription", description)
            json.field("minWithdrawable", minimum.value)
            json.field("maxWithdrawable", largest.value)
            if let balanceCheck {
                json.field("balanceCheck", balanceCheck)
                if let balance { json.field("currentBalance", balance.value) }
            }
            if let payLink { json.field("payLink", payLink) }
        }
        return json.bytes
    }

    /// The most that can be taken now, in whole satoshis: with its fee it fits what is left. Not below the minimum, which is what is
    /// refused then.
    var largest: Millisatoshis {
        guard let balance else { return maximum }
        var most = min(maximum, balance)
        while most > .zero, most + reserve.limit(for: most) > balance {
            let excess = (most + reserve.limit(for: most)).value - balance.value
            most = Millisatoshis(most.value > excess ? most.value - excess : 0)
        }
        return max(minimum, Millisatoshis(most.value / 1000 * 1000))
    }

    /// Whether the invoice can be paid out. Nothing is claimed yet: that decides the store.
    public func judge<C: Cryptography>(
        paymentRequest text: String, network: Network, own: PublicKey, at time: UnixTime, by crypto: C.Type
    ) throws(WithdrawRefusal) -> WithdrawClaim {
        var text = text.lowercased()
        if text.hasPrefix("lightning:") { text = String(text.dropFirst("lightning:".count)) }
        guard text.utf8.count <= 4096, let invoice = try? Bolt11Invoice(decoding: text, by: C.self) else { throw .unreadable }
        guard invoice.network == network else { throw .otherNetwork }
        guard let amount = invoice.amount else { throw .noAmount }
        guard amount >= minimum, amount <= maximum else { throw .outside(minimum: minimum.value, maximum: maximum.value) }
        let claim = WithdrawClaim(paymentRequest: text, paymentHash: invoice.paymentHash, amount: amount, feeLimit: reserve.limit(for: amount))
        if claim.feeLimit > amount { throw .tooSmall }
        if let balance, claim.reserved > balance { throw .balance }
        guard invoice.expiresAt.seconds >= time.seconds + Self.leastSecondsLeft else { throw .expired }
        guard invoice.payee != own else { throw .ownInvoice }
        guard invoice.minFinalCLTVExpiry <= Self.mostFinalDelta else { throw .finalDelta }
        guard invoice.routeHints.count <= Self.mostRouteHints else { throw .routeHints }
        return claim
    }
}
