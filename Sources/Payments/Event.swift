/// Something that happened, before it has an offset.
public struct Event: Equatable, Sendable {
    public enum Subject: Equatable, Sendable {
        case invoice(InvoiceFacts)
        case htlc(HTLCFacts)
        case node(PublicKey, reason: String?)
    }

    /// What an `invoice.*` event tells.
    public struct InvoiceFacts: Equatable, Sendable {
        public var paymentHash: PaymentHash
        public var setID: SetID?
        public var amount: Millisatoshis?
        public var received: Millisatoshis?
        public var note: PayerNote?
        public init(
            paymentHash: PaymentHash, setID: SetID? = nil, amount: Millisatoshis? = nil, received: Millisatoshis? = nil, note: PayerNote? = nil
        ) {
            self.paymentHash = paymentHash
            self.setID = setID
            self.amount = amount
            self.received = received
            self.note = note
        }
    }

    /// What an `htlc.*` event tells. `blocksLeft` counts to the height at which the node fails the HTLC.
    public struct HTLCFacts: Equatable, Sendable {
        public var paymentHash: PaymentHash
        /// `nil` for one that was refused before it was part of a complete set.
        public var setID: SetID?
        public var circuitKey: CircuitKey
        public var amount: Millisatoshis
        public var fee: Millisatoshis
        public var expiryHeight: UInt32
        public var blocksLeft: Int64
        /// Why it failed, if it did.
        public var reason: HTLCFailure?

        public init(
            paymentHash: PaymentHash, setID: SetID?, circuitKey: CircuitKey, amount: Millisatoshis, fee: Millisatoshis = .zero, expiryHeight: UInt32,
            blocksLeft: Int64, reason: HTLCFailure? = nil
        ) {
            self.paymentHash = paymentHash
            self.setID = setID
            self.circuitKey = circuitKey
            self.amount = amount
            self.fee = fee
            self.expiryHeight = expiryHeight
            self.blocksLeft = blocksLeft
            self.reason = reason
        }
    }

    public var type: EventType
    public var subject: Subject

    public init(_ type: EventType, _ subject: Subject) {
        self.type = type
        self.subject = subject
    }

    public var paymentHash: PaymentHash? {
        switch subject {
        case .invoice(let facts): facts.paymentHash
        case .htlc(let facts): facts.paymentHash
        case .node: nil
        }
    }
}
