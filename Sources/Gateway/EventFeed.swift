internal import Loop
internal import Payments

/// One reader's way from an old offset to the live stream: the past from the history, then what is published, without a
/// gap and without telling anything twice.
@LoopActor
final class EventFeed {
    enum Failure: Equatable {
        case unavailable
        /// What comes next is not kept any more.
        case gone
    }

    private static let page = 500
    /// What may gather while a page is read; beyond it the page is simply asked for again.
    private static let maximumGathered = 5000

    private let history: EventHistory
    let filter: EventFilter
    private let deliver: @LoopActor ([PublishedEvent]) -> Void
    private let failed: @LoopActor (Failure) -> Void
    private var cursor: Int64
    private var gathered: [PublishedEvent] = []
    private var hasOverflown = false
    private(set) var isLive = false
    private var isClosed = false

    /// Delivers what came after `cursor`. After a failure nothing more is delivered.
    init(
        history: EventHistory, after cursor: Int64, filter: EventFilter, deliver: @escaping @LoopActor ([PublishedEvent]) -> Void,
        failed: @escaping @LoopActor (Failure) -> Void
    ) {
        self.history = history
        self.cursor = cursor
        self.filter = filter
        self.deliver = deliver
        self.failed = failed
    }

    func start() { read() }

    func close() { isClosed = true }

    /// The publisher's events, all of them, in order.
    func published(_ events: [PublishedEvent]) {
        guard !isClosed else { return }
        let mine = events.filter { $0.offset > cursor && filter.admits($0) }
        if isLive {
            hand(mine)
        } else if gathered.count + mine.count > Self.maximumGathered {
            gathered = []
            hasOverflown = true
        } else {
            gathered += mine
        }
    }

    private func read() {
        history.events(filter, after: cursor, limit: Self.page) { [self] result in
            guard !isClosed else { return }
            switch result {
            case .failure:
                isClosed = true
                failed(.unavailable)
            case .success(let past) where cursor > 0 && cursor + 1 < past.first:
                isClosed = true
                failed(.gone)
            case .success(let past):
                hand(past.events)
                guard !isClosed else { return }
                if past.events.count == Self.page || hasOverflown {
                    hasOverflown = false
                    return read()
                }
                isLive = true
                let rest = gathered
                gathered = []
                hand(rest.filter { $0.offset > cursor })
            }
        }
    }

    private func hand(_ events: [PublishedEvent]) {
        guard let last = events.last else { return }
        cursor = last.offset
        deliver(events)
    }
}
