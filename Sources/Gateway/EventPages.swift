internal import Ledger
internal import Loop
internal import Payments

/// Pages of the log for whoever asks for them one by one. They hold what is committed, also what was not published here yet.
///
/// A full page of the past comes out of the history, which many share. Where the log ends only the store knows it: those who
/// ask for the same page while a question for it is under way share the next one.
@LoopActor
final class EventPages {
    typealias Answer = @LoopActor (Result<EventPage, EventHistory.Failure>) -> Void

    private struct Key: Hashable {
        var filter: EventFilter
        var after: Int64
        var limit: Int
    }

    private let ledger: Ledger
    private let history: EventHistory
    private let asked: @LoopActor () -> Void
    private var waiting: [Key: [Answer]] = [:]
    private var asking: Set<Key> = []

    /// `asked` runs for every question to the store.
    init(ledger: Ledger, history: EventHistory, asked: @escaping @LoopActor () -> Void) {
        self.ledger = ledger
        self.history = history
        self.asked = asked
    }

    func read(_ filter: EventFilter, after: Int64, limit: Int, _ answer: @escaping Answer) {
        let key = Key(filter: filter, after: after, limit: limit)
        guard let head = history.head, after < head, limit <= EventHistory.maximumLimit else { return ask(key, answer) }
        history.events(filter, after: after, limit: limit) { [self] result in
            guard case .success(let past) = result, past.events.count == limit else { return ask(key, answer) }
            answer(.success(EventPage(events: past.events, first: past.first)))
        }
    }

    private func ask(_ key: Key, _ answer: @escaping Answer) {
        waiting[key, default: []].append(answer)
        if !asking.contains(key) { ask(key) }
    }

    private func ask(_ key: Key) {
        let answers = waiting.removeValue(forKey: key) ?? []
        asking.insert(key)
        asked()
        ledger.past(
            after: key.after, limit: key.limit, account: key.filter.account, types: key.filter.types.isEmpty ? nil : key.filter.types
        ) { [self] result in
            asking.remove(key)
            for answer in answers { answer(result.mapError { _ in .unavailable }) }
            if waiting[key] != nil, !asking.contains(key) { ask(key) }
        }
    }
}
