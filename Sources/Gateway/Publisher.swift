internal import Ledger
internal import Loop
internal import Payments

/// Hands committed events on in the order of their offsets, without gaps and without repeating one.
///
/// What this process commits it hands on at once. When an offset is missing (another process wrote, or the answer to a
/// commit was lost) the stream is read from the store until it is whole again.
@LoopActor
final class Publisher {
    private let ledger: Ledger
    private let publish: @LoopActor ([PublishedEvent]) -> Void
    /// The last offset that was handed on; nothing is before it is known.
    private(set) var head: Int64?
    /// The highest offset that is known to be committed.
    private(set) var committedHead: Int64 = 0
    private var gathered: [PublishedEvent] = []
    private let turnEnd = OncePerTurn()
    private var isReading = false
    private var mustRead = false
    private var patience: Timer?

    init(ledger: Ledger, publish: @escaping @LoopActor ([PublishedEvent]) -> Void) {
        self.ledger = ledger
        self.publish = publish
    }

    /// Events up to `head` belong to the past; readers get them from the store.
    func start(at head: Int64) {
        guard self.head == nil else { return }
        self.head = head
    }

    /// A commit's events, with the offsets they got.
    func committed(_ events: [PublishedEvent]) {
        gathered += events
        turnEnd.run { [self] in flush() }
    }

    /// Something may have been committed that was not told here.
    func catchUp() {
        guard head != nil else { return }
        mustRead = true
        read()
    }

    /// The store has told of commits up to `head`. Those of this process are told by their own answers, which get a
    /// moment to arrive where most are its own.
    func heard(_ head: Int64, patiently: Bool) {
        committedHead = max(committedHead, head)
        guard patience == nil, let known = self.head, head > known else { return }
        guard patiently else { return catchUp() }
        patience = Timer(afterMilliseconds: 20) { [self] in
            patience = nil
            if let known = self.head, head > known { catchUp() }
        }
    }

    private func flush() {
        guard let head else { return gathered.removeAll() }
        var next = head + 1
        var ready: [PublishedEvent] = []
        gathered.sort { $0.offset < $1.offset }
        var rest: [PublishedEvent] = []
        for event in gathered where event.offset >= next {
            if event.offset == next {
                ready.append(event)
                next += 1
            } else {
                rest.append(event)
            }
        }
        gathered = rest
        hand(ready)
        if !rest.isEmpty { catchUp() }
    }

    private func hand(_ events: [PublishedEvent]) {
        guard let last = events.last else { return }
        head = last.offset
        committedHead = max(committedHead, last.offset)
        publish(events)
    }

    private func read() {
        guard mustRead, !isReading, let head else { return }
        isReading = true
        mustRead = false
        let limit = 1000
        ledger.newest(after: head, limit: limit) { [self] result in
            isReading = false
            guard case .success(let events) = result else {
                // The store is away; it is asked again when it is back.
                return
            }
            let missing = events.filter { $0.offset > self.head! }
            hand(missing)
            flush()
            if events.count == limit { mustRead = true }
            read()
        }
    }
}
