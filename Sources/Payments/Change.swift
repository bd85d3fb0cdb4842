/// One step that has to be durable, together with the events that tell of it.
///
/// The store applies a change only if the stored invoice is in a state that admits it; applying the same change twice
/// is the same as applying it once. Its events are written only when it is applied.
public struct Change: Equatable, Sendable {
    public enum Step: Equatable, Sendable {
        /// A new row in state `open`. Admitted if there is none.
        case create(InvoiceRecord)
        /// A complete set. Admitted if there is no row or it is `open`; also if it is `accepted` with this set and
        /// `settling` is given. With `settling` the row goes straight to `settle_requested`.
        case accept(AcceptedSet, settling: Preimage?)
        /// Admitted if the row is `accepted` with this set.
        case requestSettlement(PaymentHash, SetID, Preimage)
        /// The set was failed back; the row is `open` again. Admitted if it is `accepted` with this set.
        case release(PaymentHash, SetID)
        /// An earlier change of this set must not be applied any more, whenever it arrives. A set that is not stored is
        /// remembered as failed back, and nothing is told; one that is `accepted` is released. Admitted unless the
        /// invoice's decision is final.
        case void(AcceptedSet)
        /// Admitted if the row is `open`, or `accepted` with this set.
        case cancel(PaymentHash, SetID?)
        /// Admitted if the row is `open`.
        case expire(PaymentHash)
        /// The final resolution of one HTLC of a set; `concludes` gives the invoice's last state when it was the last.
        /// Admitted if the HTLC has none yet.
        case resolve(PaymentHash, CircuitKey, Resolution, concludes: InvoiceState?)
        /// No row at all, only its event. Always admitted.
        case tell

        /// To whom the row belongs that the step may make; `nil` for those that make none.
        public var account: Int64? {
            switch self {
            case .create(let invoice): invoice.account
            case .accept(let set, _), .void(let set): set.terms.account
            case .requestSettlement, .release, .cancel, .expire, .resolve, .tell: nil
            }
        }
    }

    public var step: Step
    public var events: [Event]
    /// When it happened; becomes the events' time.
    public var time: UnixTime

    public init(_ step: Step, events: [Event], time: UnixTime) {
        self.step = step
        self.events = events
        self.time = time
    }
}

/// How an HTLC ended, as LND's final resolution tells it.
public struct Resolution: Equatable, Hashable, Sendable {
    public var isSettled: Bool
    public var isOffChain: Bool
    public init(isSettled: Bool, isOffChain: Bool) {
        self.isSettled = isSettled
        self.isOffChain = isOffChain
    }
}

/// A complete set of HTLCs for one invoice.
public struct AcceptedSet: Equatable, Sendable {
    public var paymentHash: PaymentHash
    public var setID: SetID
    public var terms: InvoiceTerms
    public var htlcs: [HeldHTLC]
    public var received: Millisatoshis
    public var note: PayerNote?

    public init(paymentHash: PaymentHash, setID: SetID, terms: InvoiceTerms, htlcs: [HeldHTLC], note: PayerNote? = nil) {
        self.paymentHash = paymentHash
        self.setID = setID
        self.terms = terms
        self.htlcs = htlcs
        self.note = note
        received = htlcs.reduce(.zero) { $0 + $1.amount }
    }
}

/// What became of a change.
public enum ChangeOutcome: Equatable, Sendable {
    case applied
    /// The same change had been applied before, perhaps by a commit whose answer was lost.
    case repeated
    /// The stored invoice does not admit it.
    case refused(StoredSet?)
    /// It was taken back, or the store cannot carry it out. If it `mayBeStored`, an attempt whose answer was lost may have
    /// been applied, or may be yet.
    case withdrawn(mayBeStored: Bool)
}

/// What the store knows of an invoice's state and the HTLCs it was decided with.
public struct StoredSet: Equatable, Sendable {
    public struct HTLC: Equatable, Sendable {
        public var held: HeldHTLC
        /// `nil` until the final resolution was seen.
        public var resolution: Resolution?
        public init(held: HeldHTLC, resolution: Resolution?) {
            self.held = held
            self.resolution = resolution
        }
    }

    public var paymentHash: PaymentHash
    public var state: InvoiceState
    /// Of the set that was accepted last; `nil` while none was.
    public var setID: SetID?
    public var terms: InvoiceTerms
    /// The HTLCs of that set.
    public var htlcs: [HTLC]
    public var note: PayerNote?

    public init(
        paymentHash: PaymentHash, state: InvoiceState, setID: SetID?, terms: InvoiceTerms, htlcs: [HTLC], note: PayerNote? = nil
    ) {
        self.paymentHash = paymentHash
        self.state = state
        self.setID = setID
        self.terms = terms
        self.htlcs = htlcs
        self.note = note
    }
}
