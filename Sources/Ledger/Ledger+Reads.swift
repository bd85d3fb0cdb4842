public import Payments
internal import Loop

extension Ledger {
    /// What is stored of these invoices, without those that are not. Asked for in one statement with all others of the
    /// turn. While the database is away it waits, and while one of them cannot be read.
    public func lookup(_ hashes: [PaymentHash], completion: @escaping @LoopActor ([StoredSet]) -> Void) {
        judgements.lookup(hashes, completion)
    }

    /// All invoices that are accepted or whose settlement was requested. While the database is away it waits.
    public func unresolved(completion: @escaping @LoopActor ([StoredSet]) -> Void) {
        judgements.unresolved(completion)
    }

    /// One invoice; `nil` if there is none, or it is not the account's when one is given.
    public func invoice(
        _ hash: PaymentHash, account: Int64? = nil, completion: @escaping @LoopActor (Result<InvoiceRecord?, LedgerError>) -> Void
    ) {
        judgements.read(InvoiceQuery.one(hash, account: account), completion) { rows throws(LedgerError) in try InvoiceQuery.read(rows).first }
    }

    /// Invoices that a merchant looks for. What it costs does not depend on how many there are.
    public func invoices(_ search: InvoiceSearch, completion: @escaping @LoopActor (Result<InvoicePage, LedgerError>) -> Void) {
        var search = search
        search.limit = max(1, search.limit)
        reads.read(InvoiceQuery.page(search), completion) { rows throws(LedgerError) in
            try InvoiceQuery.readPage(rows, search)
        }
    }

    /// Payments that have ended within a time, in that order.
    public func bookings(_ search: BookingSearch, completion: @escaping @LoopActor (Result<BookingPage, LedgerError>) -> Void) {
        reads.read(BookingQuery.page(search), completion) { rows throws(LedgerError) in try BookingQuery.readPage(rows, search) }
    }

    /// What the account asked to be settled, from a number on, in that order.
    public func settlements(
        account: Int64, from sequence: Int64, limit: Int,
        completion: @escaping @LoopActor (Result<[RequestedSettlement], LedgerError>) -> Void
    ) {
        reads.read(SettlementQuery.page(account: account, from: sequence, limit: limit), completion, SettlementQuery.read)
    }

    /// Stored invoices that are open past their expiry, the oldest first.
    public func expired(
        before time: UnixTime, limit: Int, completion: @escaping @LoopActor (Result<[PaymentHash], LedgerError>) -> Void
    ) {
        reads.read(InvoiceQuery.expired(before: time, limit: limit), completion) { rows in
            (0..<rows.count).map { PaymentHash(rows.bytes32($0, 0)) }
        }
    }

    /// Events after an offset, in order, and the oldest offset that is kept. `nil` filters nothing; an empty list of types
    /// matches none.
    public func past(
        after offset: Int64, limit: Int, account: Int64? = nil, types: [EventType]? = nil,
        completion: @escaping @LoopActor (Result<EventPage, LedgerError>) -> Void
    ) {
        let step = EventQuery.after(offset, limit: limit, account: account, types: types)
        // Asked for last: what is kept then was kept before.
        reads.read([step, EventQuery.position], completion) {
            EventPage(events: EventQuery.read($0[0]), first: EventQuery.readPosition($0[1]).first)
        }
    }

    /// What came after each place, in the order of the places; at most `limit` events for each.
    public func past(
        of places: [InvoicePlace], limit: Int, completion: @escaping @LoopActor (Result<(events: [[PublishedEvent]], first: Int64), LedgerError>) -> Void
    ) {
        reads.read([EventQuery.of(places, limit: limit), EventQuery.position], completion) { rows in
            var events = [[PublishedEvent]](repeating: [], count: places.count)
            for row in 0..<rows[0].count {
                let place = Int(rows[0].integer(row, 7)) - 1
                if events.indices.contains(place) { events[place].append(EventQuery.read(rows[0], row)) }
            }
            return (events, EventQuery.readPosition(rows[1]).first)
        }
    }

    /// Those of these invoices that are stored.
    public func invoices(
        _ hashes: [PaymentHash], completion: @escaping @LoopActor (Result<[PaymentHash: InvoiceRecord], LedgerError>) -> Void
    ) {
        reads.read(InvoiceQuery.many(hashes), completion) { rows throws(LedgerError) in
            Dictionary(try InvoiceQuery.read(rows).map { ($0.paymentHash, $0) }) { first, _ in first }
        }
    }

    /// Whether commits are heard of; otherwise they have to be asked for.
    public var isListening: Bool { tail.isListening }

    /// All events after an offset, in order, on the connection that hears of them; while that is away, on the other reads'.
    public func newest(
        after offset: Int64, limit: Int, completion: @escaping @LoopActor (Result<[PublishedEvent], LedgerError>) -> Void
    ) {
        let step = EventQuery.after(offset, limit: limit, account: nil, types: nil)
        if !tail.read(step, completion, EventQuery.read) { reads.read(step, completion, EventQuery.read) }
    }

    /// The stream's epoch, head and leader.
    public func stream(completion: @escaping @LoopActor (Result<StreamPosition, LedgerError>) -> Void) {
        reads.read(EventQuery.position, completion, EventQuery.readPosition)
    }

    // MARK: Nodes

    /// How the nodes stand, as the last leader has told.
    public func nodeStates(completion: @escaping @LoopActor (Result<[PublicKey: String], LedgerError>) -> Void) {
        reads.read(NodeStateQuery.all, completion, NodeStateQuery.read)
    }

    /// Tells the other processes; nothing is written if another term runs.
    public func tellNodeStates(
        _ states: [PublicKey: String], term: Int64, completion: @escaping @LoopActor (Result<Void, LedgerError>) -> Void
    ) {
        reads.read(NodeStateQuery.tell(states, term: term), completion) { _ in }
    }

    /// The nodes that new invoices are not to name.
    public func drainedNodes(completion: @escaping @LoopActor (Result<Set<PublicKey>, LedgerError>) -> Void) {
        judgements.read(DrainedNodeQuery.all, completion, DrainedNodeQuery.read)
    }

    /// Drains a node, or ends that. `false`: another term runs, and nothing was written.
    public func setDrained(
        _ node: PublicKey, _ isDrained: Bool, term: Int64, completion: @escaping @LoopActor (Result<Bool, LedgerError>) -> Void
    ) {
        judgements.read(DrainedNodeQuery.set(node, isDrained: isDrained, term: term), completion) { $0.count == 1 }
    }

    // MARK: Attendance

    /// Says that somebody listens at this moment for these accounts.
    public func tellAttendance(_ accounts: Set<Int64>, completion: @escaping @LoopActor (Result<Void, LedgerError>) -> Void) {
        reads.read(AttendanceQuery.tell(accounts), completion) { _ in }
    }

    /// The accounts for which somebody listened so short a time ago.
    public func attendedAccounts(
        withinMilliseconds milliseconds: Int64, completion: @escaping @LoopActor (Result<Set<Int64>, LedgerError>) -> Void
    ) {
        judgements.read(AttendanceQuery.attended(withinMilliseconds: milliseconds), completion, AttendanceQuery.read)
    }
}
