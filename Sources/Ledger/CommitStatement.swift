internal import Payments
internal import Wire

/// Turns a batch of entries into the arrays that `leyden_commit` takes, and its answer into outcomes.
enum CommitStatement {
    enum Outcome: Int64 {
        case refused = 0
        case repeated = 1
        case appliedWithNewInvoice = 2
        case appliedToInvoice = 3
        /// The set was stored as accepted before; its accepted events have been told.
        case appliedToAcceptedSet = 4
        case applied = 5
        /// Remembered as failed back without ever having been accepted, of which nothing is told.
        case voided = 6
    }

    /// Puts entries in the order in which the function wants them: by wave, so that no invoice occurs twice in one.
    /// Entries of one invoice keep their order.
    static func waves(_ entries: [CommitEntry]) -> [(index: Int, wave: Int)] {
        var next: [PaymentHash: Int] = [:]
        var placed: [(index: Int, wave: Int)] = []
        placed.reserveCapacity(entries.count)
        var last = 0
        for (index, entry) in entries.enumerated() {
            let wave = entry.change.step.paymentHash.map { next[$0, default: 0] } ?? 0
            entry.change.step.paymentHash.map { next[$0] = wave + 1 }
            last = max(last, wave)
            placed.append((index, wave))
        }
        guard last > 0 else { return placed }
        // Stable: by wave, then in the order of arrival.
        return (0...last).flatMap { wave in placed.filter { $0.wave == wave } }
    }

    static func step(term: Int64?, entries: [CommitEntry], order: [(index: Int, wave: Int)]) -> Step {
        var columns = CommitColumns()
        for (position, place) in order.enumerated() {
            columns.append(entries[place.index], wave: place.wave, number: position + 1)
        }
        var parameters = Parameters()
        parameters.append(term)
        for column in columns.all { parameters.append(column) }
        return Step(statement, parameters)
    }

    /// One outcome and account for each entry in the statement's order, and the last offset before the batch's events.
    static func read(_ rows: Rows, count: Int) -> (head: Int64, outcomes: [Outcome], accounts: [Int64])? {
        guard rows.count == 1 else { return nil }
        let outcomes = rows.integers(0, 1).compactMap(Outcome.init)
        let accounts = rows.integers(0, 2)
        guard outcomes.count == count, accounts.count == count else { return nil }
        return (rows.integer(0, 0), outcomes, accounts)
    }

    /// The events of an applied entry, as the function has written them.
    static func published(_ entry: CommitEntry, _ outcome: Outcome, account: Int64, after head: inout Int64) -> [PublishedEvent] {
        var events: [PublishedEvent] = []
        if outcome == .voided { return events }
        for event in entry.rendered {
            if outcome == .appliedToAcceptedSet, event.type == .htlcAccepted || event.type == .invoiceAccepted { continue }
            head += 1
            events.append(PublishedEvent(
                offset: head, id: event.id, type: event.type, account: account, paymentHash: event.paymentHash,
                time: Timestamp.stored(entry.change.time), data: event.data))
        }
        return events
    }

    private static let statement = {
        let types = [TypeID.bigint] + CommitColumns().all.map(\.arrayType)
        let places = (1...types.count).map { "$\($0)" }.joined(separator: ", ")
        return Statement("commit batch", "SELECT * FROM leyden_commit(\(places))", types)
    }()
}

extension Change.Step {
    var paymentHash: PaymentHash? {
        switch self {
        case .create(let invoice): invoice.paymentHash
        case .accept(let set, _), .void(let set): set.paymentHash
        case .requestSettlement(let hash, _, _), .release(let hash, _), .cancel(let hash, _), .expire(let hash),
            .resolve(let hash, _, _, _): hash
        case .tell: nil
        }
    }
}
