public import Payments

/// What a node is asked to pay.
public struct PaymentOrder: Equatable, Sendable {
    public enum Target: Equatable, Sendable {
        /// `amount` only if the invoice leaves it open.
        case invoice(String, amount: Millisatoshis?)
        /// Unasked, with the preimage in a record of its own.
        case key(PublicKey, amount: Millisatoshis, Preimage)
    }

    public var paymentHash: PaymentHash
    public var target: Target
    public var feeLimit: Millisatoshis
    /// How long ways are looked for; what is on its way by then may take longer.
    public var timeoutSeconds: Int64
    public var customRecords: [UInt64: [UInt8]]

    public init(paymentHash: PaymentHash, target: Target, feeLimit: Millisatoshis, timeoutSeconds: Int64, customRecords: [UInt64: [UInt8]] = [:]) {
        self.paymentHash = paymentHash
        self.target = target
        self.feeLimit = feeLimit
        self.timeoutSeconds = timeoutSeconds
        self.customRecords = customRecords
    }

    /// For a stored intent; `nil` if it names neither an invoice nor what a payment to a key needs.
    public init?(_ intent: PayoutIntent, timeoutSeconds: Int64) {
        let target: Target
        switch (intent.paymentRequest, intent.spontaneous) {
        case (let text?, _): target = .invoice(text, amount: intent.amountIsOpen ? intent.amount : nil)
        case (nil, let preimage?): target = .key(intent.destination, amount: intent.amount, preimage)
        case (nil, nil): return nil
        }
        self.init(
            paymentHash: intent.paymentHash, target: target, feeLimit: intent.feeLimit, timeoutSeconds: timeoutSeconds,
            customRecords: intent.customRecords)
    }
}

/// A payment out as a node keeps it.
public struct SentPayment: Equatable, Sendable {
    /// By which the node's list goes on.
    public var number: UInt64
    public var paymentHash: PaymentHash
    public var amount: Millisatoshis
    public var answer: PayoutAnswer
    public var createdAt: UnixTime

    public init(number: UInt64, paymentHash: PaymentHash, amount: Millisatoshis, answer: PayoutAnswer, createdAt: UnixTime) {
        self.number = number
        self.paymentHash = paymentHash
        self.amount = amount
        self.answer = answer
        self.createdAt = createdAt
    }
}

/// What a payment would cost now.
public struct FeeEstimate: Equatable, Sendable {
    public var fee: Millisatoshis
    /// In blocks.
    public var timeLock: Int64

    public init(fee: Millisatoshis, timeLock: Int64) {
        self.fee = fee
        self.timeLock = timeLock
    }
}
