/// Many timers on one libuv timer: scheduling and cancelling cost the same whatever their number.
///
/// A timer never fires early, and at most one tick late plus what the loop is late itself. The clock stops while no timer waits.
@LoopActor
public final class TimerWheel {
    /// Names one scheduled timer; worthless once it has fired or was cancelled.
    public struct Token: Hashable, Sendable {
        fileprivate let index: Int32
        fileprivate let generation: UInt32
    }

    private struct Entry {
        var previous: Int32
        var next: Int32
        var generation: UInt32
        var dueTick: UInt64
        var body: (@LoopActor () -> Void)?
    }

    private let tickNanoseconds: UInt64
    private let slotCount: Int
    /// The first `slotCount` entries are the heads of the slots' rings; timers follow.
    private var entries: [Entry]
    private var free: [Int32] = []
    private var currentTick: UInt64
    private var timer: Timer?
    /// Timers that wait.
    public private(set) var count = 0

    public init(tickMilliseconds: UInt64 = 10, slots: Int = 1024) {
        tickNanoseconds = max(1, tickMilliseconds) * 1_000_000
        slotCount = max(1, slots)
        entries = (0..<Int32(slotCount)).map { Entry(previous: $0, next: $0, generation: 0, dueTick: 0, body: nil) }
        currentTick = Clock.monotonicNanoseconds / tickNanoseconds
    }

    @discardableResult
    public func schedule(afterMilliseconds delay: UInt64, _ body: @escaping @LoopActor () -> Void) -> Token {
        let now = Clock.monotonicNanoseconds
        if count == 0 { currentTick = now / tickNanoseconds }
        // A century is as good as never, and cannot overflow.
        let due = now + min(delay, 3_155_760_000_000) * 1_000_000
        let token = insert(dueTick: max(due / tickNanoseconds + 1, currentTick + 1), body)
        startClock()
        return token
    }

    /// Does nothing if the timer has fired or was cancelled.
    public func cancel(_ token: Token) {
        guard isWaiting(token) else { return }
        _ = remove(token.index)
        stopClockIfIdle()
    }

    /// Whether the timer has neither fired nor been cancelled.
    public func isWaiting(_ token: Token) -> Bool {
        let entry = entries[Int(token.index)]
        return entry.generation == token.generation && entry.body != nil
    }

    /// Fires what is due up to this tick; the clock's own step, open to tests.
    func advance(to tick: UInt64) {
        guard tick > currentTick else { return }
        // After a long pause every slot is visited once, not once for each tick that was missed.
        let steps = min(tick - currentTick, UInt64(slotCount))
        var due: [(tick: UInt64, token: Token)] = []
        for step in 1...steps {
            let head = Int32((currentTick + step) % UInt64(slotCount))
            var index = entries[Int(head)].next
            while index != head {
                let entry = entries[Int(index)]
                if entry.dueTick <= tick { due.append((entry.dueTick, Token(index: index, generation: entry.generation))) }
                index = entry.next
            }
        }
        currentTick = tick
        // The slots' order is the times' order only within one round.
        if steps > 1 { due.sort { $0.tick < $1.tick } }
        // A body may cancel others that are due in the same tick.
        for (_, token) in due where isWaiting(token) { remove(token.index)?() }
        stopClockIfIdle()
    }

    private func insert(dueTick: UInt64, _ body: @escaping @LoopActor () -> Void) -> Token {
        let head = Int32(dueTick % UInt64(slotCount))
        let last = entries[Int(head)].previous
        let index: Int32
        if let reused = free.popLast() {
            index = reused
            entries[Int(index)].previous = last
            entries[Int(index)].next = head
            entries[Int(index)].dueTick = dueTick
            entries[Int(index)].body = body
        } else {
            index = Int32(entries.count)
            entries.append(Entry(previous: last, next: head, generation: 0, dueTick: dueTick, body: body))
        }
        entries[Int(last)].next = index
        entries[Int(head)].previous = index
        count += 1
        return Token(index: index, generation: entries[Int(index)].generation)
    }

    private func remove(_ index: Int32) -> (@LoopActor () -> Void)? {
        let entry = entries[Int(index)]
        entries[Int(entry.previous)].next = entry.next
        entries[Int(entry.next)].previous = entry.previous
        entries[Int(index)].body = nil
        entries[Int(index)].generation &+= 1
        free.append(index)
        count -= 1
        return entry.body
    }

    private func startClock() {
        guard timer == nil else { return }
        let period = tickNanoseconds / 1_000_000
        timer = Timer(afterMilliseconds: period, repeats: period) { [weak self] in
            guard let self else { return }
            self.advance(to: Clock.monotonicNanoseconds / self.tickNanoseconds)
        }
    }

    private func stopClockIfIdle() {
        guard count == 0 else { return }
        timer?.cancel()
        timer = nil
    }
}
