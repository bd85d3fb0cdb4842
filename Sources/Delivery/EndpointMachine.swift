public import Payments

/// One endpoint's way along the log: facts in, orders out.
///
/// The log is the queue. Events are sent in its order; one that is not taken is stored with the time of its next attempt, and
/// the way goes on. While several in a row are not taken the endpoint *struggles*: the way rests, the rest waits in the log,
/// and single attempts find out when it is back.
public struct EndpointMachine: Equatable, Sendable {
    /// What is stored of it.
    public struct Progress: Equatable, Sendable {
        /// What the log holds up to here was taken, or its repetition is stored.
        public var cursor: Int64
        /// Attempts in a row that were not taken.
        public var failures: Int
        public var failingSince: UnixTime?
        /// The receiver asked to be left alone until then.
        public var pausedUntil: UnixTime?

        public init(cursor: Int64, failures: Int = 0, failingSince: UnixTime? = nil, pausedUntil: UnixTime? = nil) {
            self.cursor = cursor
            self.failures = failures
            self.failingSince = failingSince
            self.pausedUntil = pausedUntil
        }
    }

    static let struggleAfter = 3
    /// Events that are at hand.
    static let window = 500
    /// Below it more are read.
    static let lowWater = 100
    /// So many are at hand while it struggles or is disabled: the log keeps the rest, and memory need not.
    static let narrowWindow = 1
    /// Due deliveries that are read at once.
    static let retryPage = 32

    /// How many may be under way at once. With more than one only the order of each invoice's events is kept.
    public var concurrency: Int
    public private(set) var isEnabled: Bool
    private var failures: Int
    private var failingSince: UnixTime?
    private var pausedUntil: UnixTime?
    /// While it struggles, no event is sent for the first time before.
    private var probeAt: UnixTime?
    /// While it struggles, nothing is repeated before.
    private var repeatAt: UnixTime?
    private var nextRetryAt: UnixTime?

    /// The log was read up to here.
    private(set) var readThrough: Int64
    /// The last offset that was told of.
    private var heard: Int64 = 0
    /// Something may stand behind that.
    private var isBehind = true
    private var isReading = false
    private var backlog: [PublishedEvent] = []
    /// The first of them that was not sent.
    private var next = 0
    /// The last that was sent for the first time.
    private var begun: Int64
    private var fresh: [Int64: PublishedEvent] = [:]
    private var retried: [Int64: PublishedEvent] = [:]
    private var attempts: [Int64: Int] = [:]
    private var retries: [DueDelivery] = []
    private var isLoadingRetries = false

    public init(progress: Progress, isEnabled: Bool, concurrency: Int, nextRetryAt: UnixTime?) {
        readThrough = progress.cursor
        begun = progress.cursor
        failures = progress.failures
        failingSince = progress.failingSince
        pausedUntil = progress.pausedUntil
        self.isEnabled = isEnabled
        self.concurrency = max(1, concurrency)
        self.nextRetryAt = nextRetryAt
    }

    public var progress: Progress {
        Progress(cursor: cursor, failures: failures, failingSince: failingSince, pausedUntil: pausedUntil)
    }

    /// Its last attempt was not taken.
    public var isFailing: Bool { failures > 0 }
    public var isStruggling: Bool { failures >= Self.struggleAfter }
    public var underWay: Int { fresh.count + retried.count }
    private var cursor: Int64 {
        let waiting = [fresh.keys.min(), next < backlog.count ? backlog[next].offset : nil].compactMap { $0 }.min()
        return waiting.map { $0 - 1 } ?? readThrough
    }

    // MARK: Facts

    /// The log went on: these of its events are the endpoint's, and nothing else up to `offset` is.
    public mutating func published(_ events: [PublishedEvent], through offset: Int64, at now: UnixTime) -> [DeliveryOrder] {
        heard = max(heard, offset)
        guard !isBehind, !isReading else {
            isBehind = true
            return []
        }
        let mine = events.filter { $0.offset > readThrough }
        guard backlog.count - next + mine.count <= room else {
            isBehind = true
            return []
        }
        backlog += mine
        readThrough = max(readThrough, offset)
        return advance(now)
    }

    /// An answer to ``DeliveryOrder/read(after:)``: complete up to `offset`, and whether more may follow.
    public mutating func read(_ events: [PublishedEvent], through offset: Int64, isComplete: Bool, at now: UnixTime) -> [DeliveryOrder] {
        isReading = false
        isBehind = !isComplete || heard > offset
        backlog += events.filter { $0.offset > readThrough }
        readThrough = max(readThrough, offset)
        narrow()
        return advance(now)
    }

    /// The log could not be read; it is asked again when time passes.
    public mutating func readFailed() { isReading = false }

    /// All of the endpoint's events up to here were told: what else the log holds is not for it.
    public mutating func passed(_ offset: Int64) {
        if !isBehind, !isReading { readThrough = max(readThrough, offset) }
    }

    public mutating func loaded(_ due: [DueDelivery], nextAt: UnixTime?, at now: UnixTime) -> [DeliveryOrder] {
        isLoadingRetries = false
        retries += due.filter { fresh[$0.event.offset] == nil && retried[$0.event.offset] == nil }
        return wanted(nextAt: nextAt, at: now)
    }

    public mutating func loadFailed(at now: UnixTime) {
        isLoadingRetries = false
        nextRetryAt = now
    }

    /// Deliveries were asked for again.
    public mutating func wanted(nextAt: UnixTime?, at now: UnixTime) -> [DeliveryOrder] {
        nextRetryAt = [nextRetryAt, nextAt].compactMap { $0 }.min()
        return advance(now)
    }

    public mutating func enabled(at now: UnixTime) -> [DeliveryOrder] {
        guard !isEnabled else { return advance(now) }
        isEnabled = true
        failures = 0
        failingSince = nil
        pausedUntil = nil
        return advance(now)
    }

    public mutating func disabled() {
        isEnabled = false
        narrow()
    }

    /// An attempt was not made after all; it is when the endpoint is enabled.
    public mutating func withdrawn(_ offset: Int64, at now: UnixTime) {
        attempts[offset] = nil
        if let event = fresh.removeValue(forKey: offset) {
            backlog.insert(event, at: backlog[next...].firstIndex { $0.offset > offset } ?? backlog.endIndex)
        } else if retried.removeValue(forKey: offset) != nil {
            nextRetryAt = now
        }
    }

    public mutating func timeReached(_ now: UnixTime) -> [DeliveryOrder] { advance(now) }

    /// An attempt ended. `jitter` is in 0..<1.
    public mutating func ended(_ offset: Int64, _ verdict: Verdict, jitter: Double, at now: UnixTime) -> [DeliveryOrder] {
        let isRepeated = fresh[offset] == nil
        guard let event = fresh.removeValue(forKey: offset) ?? retried.removeValue(forKey: offset) else { return [] }
        let attempt = attempts.removeValue(forKey: offset) ?? 1
        var record = DeliveryRecord(
            offset: offset, eventID: event.id, type: event.type, state: .delivered, attempt: attempt, attemptedAt: now)
        var orders: [DeliveryOrder] = []
        switch verdict {
        case .delivered(let status):
            record.status = status
            if isStruggling {
                orders.append(.bringForward)
                nextRetryAt = now
            }
            failures = 0
            failingSince = nil
            // Nothing begins within a pause, so this began before it: the pause was asked for later.
            if pausedUntil ?? now <= now { pausedUntil = nil }
        case .gone:
            record.status = 410
            record.state = .waiting
            record.reason = "answered 410; the endpoint is disabled"
            record.nextAttemptAt = now
            nextRetryAt = min(nextRetryAt ?? now, now)
            disable(.gone, &orders)
        case .failed(let status, let reason, let retryAfter):
            failures += 1
            let since = failingSince ?? now
            failingSince = since
            if let retryAfter { pausedUntil = now.advanced(byMilliseconds: retryAfter) }
            if isRepeated {
                repeatAt = now.advanced(byMilliseconds: RetrySchedule.repetitionPause(afterFailures: failures, jitter: jitter))
            } else {
                probeAt = now.advanced(byMilliseconds: RetrySchedule.pause(afterFailures: failures, jitter: jitter))
            }
            record.status = status
            record.reason = reason
            if let delay = RetrySchedule.delay(afterAttempts: attempt, jitter: jitter) {
                let time = max(now.advanced(byMilliseconds: delay), pausedUntil ?? now)
                record.state = .waiting
                record.nextAttemptAt = time
                nextRetryAt = min(nextRetryAt ?? time, time)
            } else {
                record.state = .failed
            }
            if isStruggling, since.advanced(byMilliseconds: RetrySchedule.patience) <= now { disable(.failing, &orders) }
        }
        orders.insert(.record(record), at: 0)
        narrow()
        return orders + advance(now)
    }

    private mutating func disable(_ reason: DisabledReason, _ orders: inout [DeliveryOrder]) {
        guard isEnabled else { return }
        isEnabled = false
        orders.append(.disable(reason))
    }

    // MARK: Orders

    private var room: Int { isEnabled && !isStruggling ? Self.window : Self.narrowWindow }

    /// Leaves to the log what there is no room for.
    private mutating func narrow() {
        // What is being read follows on all that is at hand.
        guard !isReading, backlog.count > next + room else { return }
        // What others overtook that are done stays, or these would come again.
        guard let end = backlog[(next + room)...].firstIndex(where: { $0.offset > begun }) else { return }
        readThrough = backlog[end].offset - 1
        backlog.removeSubrange(end...)
        isBehind = true
    }

    private mutating func advance(_ now: UnixTime) -> [DeliveryOrder] {
        guard isEnabled, pausedUntil ?? now <= now else { return [] }
        var orders: [DeliveryOrder] = []
        // One repetition at a time, in a place of its own: it delays no event that is sent for the first time.
        let mayRepeat = !isStruggling || repeatAt ?? now <= now
        if mayRepeat, retried.isEmpty, !retries.isEmpty {
            let due = retries.removeFirst()
            if fresh[due.event.offset] == nil {
                retried[due.event.offset] = due.event
                attempts[due.event.offset] = due.attempts + 1
                orders.append(.send(.init(event: due.event, number: due.attempts + 1, isRetry: true)))
            }
        }
        if mayRepeat, retried.isEmpty, retries.isEmpty, !isLoadingRetries, let nextRetryAt, nextRetryAt <= now {
            isLoadingRetries = true
            // What is stored from now on may be too late for the answer.
            self.nextRetryAt = nil
            orders.append(.loadRetries(limit: Self.retryPage))
        }
        let atOnce = isStruggling ? (probeAt ?? now <= now ? 1 : 0) : concurrency
        while fresh.count < atOnce, next < backlog.count, canBegin(backlog[next]) {
            let event = backlog[next]
            next += 1
            fresh[event.offset] = event
            begun = max(begun, event.offset)
            orders.append(.send(.init(event: event, number: 1, isRetry: false)))
        }
        if next == backlog.count || next > Self.window {
            backlog.removeFirst(next)
            next = 0
        }
        if isBehind, !isReading, backlog.count - next < min(room, Self.lowWater) {
            isReading = true
            orders.append(.read(after: readThrough))
        }
        return orders
    }

    /// Events of one invoice arrive one after the other, and none twice at once.
    private func canBegin(_ event: PublishedEvent) -> Bool {
        guard retried[event.offset] == nil else { return false }
        guard concurrency > 1, let hash = event.paymentHash else { return true }
        return !fresh.values.contains { $0.paymentHash == hash }
    }
}
