internal import Keys
internal import Ledger
internal import Logging
internal import Loop
internal import Payments

/// What keys have changed or tried to change, on its way into the database.
///
/// An answer leaves when its row is durable; only that of a new invoice, which is durable itself, goes ahead of it. Rows of many
/// requests are written in one transaction, so that costs a wait and hardly any work. If a row cannot be written the answer leaves
/// all the same, because the thing is done; the row is kept and written later, and while as many are kept as may be nothing more
/// is let in. So what is lost are the rows kept by a process that is killed while the database is away.
@LoopActor
final class AuditLog {
    static let mostWaiting = 10_000
    private static let batch = 500

    private struct Entry {
        var record: AuditRecord
        var done: (@LoopActor () -> Void)?
    }

    private let ledger: Ledger
    private let logger: Logger
    private var waiting: [Entry] = []
    private var isWriting = false
    private var retry: Timer?
    private let rows: Piecemeal<[Entry]>
    private let turnEnd = OncePerTurn()
    private var lastMillisecond: Int64 = 0
    private var inMillisecond: UInt16 = 0

    init(ledger: Ledger, logger: Logger) {
        self.ledger = ledger
        self.logger = logger
        rows = Piecemeal {
            $0.map { [$0] }
        } write: { entries, done in
            ledger.appendAudit(entries.map(\.record), completion: done)
        } refused: { _, state, reason in
            logger.critical("the audit log does not take a row", metadata: ["sqlstate": "\(state)", "reason": "\(reason)"])
        }
    }

    /// Nothing may be done that it would have to hold.
    var isFull: Bool { waiting.count >= Self.mostWaiting }

    /// `done` runs when it is written, or is known not to be for now.
    func note(
        _ caller: Caller, transport: String, method: String, path: String, target: String?, status: Int, requestID: String?,
        _ done: @escaping @LoopActor () -> Void
    ) {
        let time = Clock.wallMilliseconds
        let record = AuditRecord(
            id: makeID(time), time: UnixTime(milliseconds: time), account: caller.account, keyID: caller.keyID, transport: transport,
            method: method, path: Self.storable(path), target: target.map(Self.storable), status: status, requestID: requestID.map(Self.storable))
        waiting.append(Entry(record: record, done: done))
        turnEnd.run { [self] in write() }
    }

    /// Grows with the time and within a millisecond; what comes after that only tells processes apart.
    private func makeID(_ time: Int64) -> String {
        inMillisecond = time == lastMillisecond ? inMillisecond &+ 1 : 0
        lastMillisecond = time
        var bytes = Self.start(of: time) + SecureRandom.bytes(10)
        bytes[6] = UInt8(inMillisecond >> 8)
        bytes[7] = UInt8(truncatingIfNeeded: inMillisecond)
        return Hex.encode(bytes)
    }

    /// With what the ids of a millisecond begin.
    private static func start(of time: Int64) -> [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: time >> Int64(8 * (5 - $0))) } }

    /// Forgets what was written before that time, in small parts with pauses between them.
    func forgetOld(before time: UnixTime) {
        ledger.forgetAudit(before: Hex.encode(Self.start(of: max(0, time.milliseconds)))) { [weak self] result in
            guard case .success(let count) = result, count >= 1000 else { return }
            _ = Timer(afterMilliseconds: 100) { self?.forgetOld(before: time) }
        }
    }

    /// Postgres stores no NUL, and nobody needs more of a path.
    private static func storable(_ text: String) -> String {
        String(text.prefix(200)).replacing("\0", with: "")
    }

    private func write() {
        guard !isWriting, retry == nil, !waiting.isEmpty else { return }
        isWriting = true
        let batch = Array(waiting.prefix(Self.batch))
        rows.store(batch) { [self] left, error in
            isWriting = false
            let dealtWith = batch.count - left.reduce(0) { $0 + $1.count }
            waiting.removeFirst(dealtWith)
            for entry in batch.prefix(dealtWith) { entry.done?() }
            guard let error else { return write() }
            logger.warning("the audit log is late", metadata: ["reason": "\(error)", "rows": "\(waiting.count)"])
            let answers = waiting.compactMap(\.done)
            for index in waiting.indices { waiting[index].done = nil }
            retry = Timer(afterMilliseconds: 500) { [weak self] in
                self?.retry = nil
                self?.write()
            }
            for answer in answers { answer() }
        }
    }
}
