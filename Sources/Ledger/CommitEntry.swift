public import Payments
public import Wire

/// A change on its way to the store, with its events already rendered.
public struct CommitEntry: Equatable, Sendable {
    public var change: Change
    /// To whom a new row belongs. An existing invoice keeps its own account, and its events go there.
    public var account: Int64
    /// One for each of `change.events`, in their order.
    public var rendered: [OutboxEvent]

    public init(change: Change, account: Int64, rendered: [OutboxEvent]) {
        self.change = change
        self.account = account
        self.rendered = rendered
    }

    /// Whether only the leader may do it. Creating an invoice is open to every process, and so is an event of its own.
    public var needsLease: Bool {
        switch change.step {
        case .create, .tell: false
        case .accept, .requestSettlement, .release, .cancel, .expire, .resolve: true
        }
    }
}

/// An event as it will stand in the outbox, before it has an offset.
public typealias OutboxEvent = RenderedEvent
