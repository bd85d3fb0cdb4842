public import Payments
public import Wire

/// A change on its way to the store, with its events already rendered.
public struct CommitEntry: Equatable, Sendable {
    public var change: Change
    /// To whom a new row belongs. An existing invoice keeps its own account, and its events go there.
    public var account: Int64
    /// One for each of `change.events`, in their order.
    public var rendered: [OutboxEvent]
    /// Under which a new invoice is found; see ``InvoiceSearch``.
    public var searchTerms: [Int64]
    /// By which ``Ledger/withdraw(_:)`` finds it.
    public var id: ChangeID?

    public init(change: Change, account: Int64, rendered: [OutboxEvent], searchTerms: [Int64] = [], id: ChangeID? = nil) {
        self.change = change
        self.account = account
        self.rendered = rendered
        self.searchTerms = searchTerms
        self.id = id
    }

    /// Whether only the leader may do it. Creating an invoice is open to every process, and so is an event of its own.
    public var needsLease: Bool {
        switch change.step {
        case .create, .tell: false
        case .accept, .requestSettlement, .release, .void, .cancel, .expire, .resolve: true
        }
    }

    /// Whether it can be withdrawn: the acceptance of a set, and the decision to settle it.
    var isWithdrawable: Bool {
        switch change.step {
        case .accept, .requestSettlement: true
        case .create, .release, .void, .cancel, .expire, .resolve, .tell: false
        }
    }
}

/// An event as it will stand in the outbox, before it has an offset.
public typealias OutboxEvent = RenderedEvent
