internal import CLWS
internal import Fanout
internal import Loop

/// One channel with many subscribers: a log and, for each subscriber, how far it has been written to.
///
/// Publishing writes through to all that are not blocked, in slices of one turn each; a blocked one goes on from its
/// cursor when libwebsockets says that it can be written to.
@LoopActor
@safe
final class Topic {
    /// What the loop over all subscribers touches, and nothing else: twenty-four contiguous bytes.
    @safe
    private struct Entry {
        var wsi: OpaquePointer
        var cursor: Int
        var descriptor: Int32
        var isBlocked: Bool
    }

    /// How many are written to before the loop serves others; some seven tenths of a millisecond.
    static let slice = 128
    /// How much goes out in one write to one that lags: what lws cannot send of it, it copies.
    private nonisolated static let mostBytes = 64 * 1024

    private var entries: ContiguousArray<Entry> = []
    private(set) var log: TopicLog
    /// Where the pass over the entries goes on; `nil` when none is under way.
    private var position: Int?
    private var passEnd = 0
    /// What all that are not blocked had got when the last pass ended.
    private var settled = 0

    let name: WebSocketHub.TopicName

    init(name: WebSocketHub.TopicName, limit: Int) {
        self.name = name
        log = TopicLog(limit: limit)
    }

    var subscribers: Int { entries.count }

    /// The index moves when another subscriber leaves; the owner of the moved entry is told by ``remove(_:)``.
    func add(_ wsi: OpaquePointer, _ descriptor: Int32, isBlocked: Bool) -> Int {
        unsafe entries.append(Entry(wsi: wsi, cursor: log.end, descriptor: descriptor, isBlocked: isBlocked))
        return entries.count - 1
    }

    /// Returns the connection whose entry has moved to `index`.
    func remove(_ index: Int) -> OpaquePointer? {
        let last = entries.count - 1
        entries.swapAt(index, last)
        entries.removeLast()
        if let position { self.position = min(position, index) }
        return unsafe index < last ? entries[index].wsi : nil
    }

    func setBlocked(_ index: Int, _ isBlocked: Bool) { entries[index].isBlocked = isBlocked }

    /// Whether a frame can be added without coming near to passing those that do read. Otherwise a pass has to be
    /// finished first, however long it takes.
    func hasRoom(for bytes: Int) -> Bool { log.end - settled + bytes <= log.limit / 2 }

    /// Adds a frame. True if a pass has to be started.
    func append(_ frame: [UInt8]) -> Bool {
        log.append(frame)
        guard position == nil else { return false }
        position = 0
        passEnd = log.end
        return true
    }

    /// Writes to the next slice of subscribers. `blocked` and `failed` collect those that need their owner's attention.
    /// True if more slices are to come.
    func writeSlice(blocked: inout [OpaquePointer], failed: inout [OpaquePointer]) -> Bool {
        guard let start = position else { return false }
        let end = min(start + Self.slice, entries.count)
        let tail = log.end
        // The entries are lent once and not for each of them, and the log is looked at without asking who may change it.
        let log = log
        unsafe entries.withUnsafeMutableBufferPointer { entries in
            // A bit for each of the next entries for which libwebsockets holds something. They are asked together, so that
            // memory is waited for once and not for each of them.
            var busy: UInt32 = 0
            for index in start..<end {
                if (index - start) % 32 == 0 { busy = unsafe Self.busy(entries[index..<min(index + 32, end)]) }
                let entry = unsafe entries[index]
                guard entry.cursor != tail, !entry.isBlocked else { continue }
                switch Self.write(entry, isBlocked: busy & 1 << ((index - start) % 32) != 0, of: log) {
                case .written: unsafe entries[index].cursor = tail
                case .blocked(let cursor):
                    unsafe entries[index].cursor = cursor
                    unsafe entries[index].isBlocked = true
                    unsafe blocked.append(entry.wsi)
                case .failed:
                    unsafe entries[index].isBlocked = true
                    unsafe failed.append(entry.wsi)
                }
            }
        }
        if end < entries.count {
            position = end
            return true
        }
        if passEnd != tail {
            // Frames were added behind those that had already been served.
            position = 0
            passEnd = tail
            return true
        }
        position = nil
        return false
    }

    enum CatchUp: Equatable {
        case caughtUp
        case blocked
        /// The log has passed the cursor, or the connection is broken.
        case lost
    }

    /// Goes on from the cursor of one that can be written to again.
    func catchUp(_ index: Int) -> CatchUp {
        entries[index].isBlocked = false
        let entry = entries[index]
        guard entry.cursor != log.end else { return .caughtUp }
        switch unsafe Self.write(entry, isBlocked: RawWrite.isBlocked(entry.wsi), of: log) {
        case .written:
            entries[index].cursor = log.end
            return .caughtUp
        case .blocked(let cursor):
            entries[index].cursor = cursor
            entries[index].isBlocked = true
            return .blocked
        case .failed: return .lost
        }
    }

    /// Forgets what nobody waits for, and returns those that the log has passed. Called when a pass has ended.
    func endPass() -> [OpaquePointer] {
        var slowest = log.end
        var lost: [OpaquePointer] = unsafe []
        for index in entries.indices {
            let cursor = entries[index].cursor
            if cursor < log.start { unsafe lost.append(entries[index].wsi) } else { slowest = min(slowest, cursor) }
        }
        log.trim(to: slowest)
        settled = log.end
        return unsafe lost
    }

    private enum Outcome {
        case written
        case blocked(cursor: Int)
        case failed
    }

    private nonisolated static func busy(_ entries: Slice<UnsafeMutableBufferPointer<Entry>>) -> UInt32 {
        var busy: UInt32 = 0, bit: UInt32 = 1
        for unsafe entry in unsafe entries {
            if unsafe RawWrite.isBlocked(entry.wsi) { busy |= bit }
            bit <<= 1
        }
        return busy
    }

    @inline(__always)
    private nonisolated static func write(_ entry: Entry, isBlocked: Bool, of log: borrowing TopicLog) -> Outcome {
        var cursor = entry.cursor
        while cursor < log.end {
            guard let next = log.boundary(after: cursor, most: mostBytes) else { return .failed }
            var outcome = RawWrite.Outcome.sent
            unsafe log.withBytes(cursor..<next) { piece in
                // The second piece of two goes behind the first, wherever that has got to.
                guard outcome != .broken else { return }
                outcome = unsafe RawWrite.send(entry.wsi, entry.descriptor, isBlocked: isBlocked || outcome == .blocked, piece)
            }
            cursor = next
            switch outcome {
            case .sent: continue
            case .blocked: return .blocked(cursor: cursor)
            case .broken: return .failed
            }
        }
        return .written
    }
}
