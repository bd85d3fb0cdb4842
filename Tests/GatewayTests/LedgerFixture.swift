import Ledger
import Logging
import Loop
import Payments
import TestSupport
import Testing
import Wire

/// Runs the body with a started ledger on a database of its own.
@LoopActor
func withLedger(_ body: @LoopActor (Ledger) async throws -> Void) async throws {
    var logger = Logger(label: "tests")
    logger.logLevel = .critical
    let ledger = try Ledger(dsn: TestServer.makeDatabase(), logger: logger)
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
        ledger.onState = { state in
            guard state == .connected else { return }
            ledger.onState = nil
            done.resume()
        }
        ledger.start()
    }
    defer { ledger.close() }
    try await body(ledger)
}

extension Ledger {
    /// The last offset taken.
    func head() async -> Int64 {
        await withCheckedContinuation { done in
            stream { result in
                if case .success(let position) = result { done.resume(returning: position.head) } else { done.resume(returning: -1) }
            }
        }
    }

    /// Commits as many events that concern no payment, of types that take turns, and returns them with their offsets.
    func tell(_ count: Int, account: Int64 = 1) async -> [PublishedEvent] {
        await commit((0..<count).map { Self.telling($0 & 1 == 0 ? .nodeConnected : .nodeDisconnected, nil, account) })
    }

    /// Commits one event about each payment.
    func tell(about hashes: [PaymentHash]) async -> [PublishedEvent] { await commit(hashes.map { Self.telling(.htlcFailed, $0, 1) }) }

    private static func telling(_ type: EventType, _ hash: PaymentHash?, _ account: Int64) -> CommitEntry {
        CommitEntry(change: Change(.tell, events: [], time: UnixTime(seconds: 1_790_000_000)), account: account, rendered: [
            OutboxEvent(id: "evt_\(UInt64.random(in: 0 ... .max))", type: type, paymentHash: hash, data: "{}")
        ])
    }

    private func commit(_ entries: [CommitEntry]) async -> [PublishedEvent] {
        let count = entries.count
        return await withCheckedContinuation { done in
            var events: [PublishedEvent] = []
            var missing = count
            for entry in entries {
                commit(entry) { result in
                    if case .applied(let applied) = result { events += applied }
                    missing -= 1
                    if missing == 0 { done.resume(returning: events.sorted { $0.offset < $1.offset }) }
                }
            }
        }
    }
}

/// Waits for something that the loop brings about.
@LoopActor
func eventually(_ condition: @LoopActor () -> Bool) async -> Bool {
    for _ in 0..<2_000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return false
}

/// Lets everything happen that would have happened by now.
@LoopActor
func aWhile() async { try? await Task.sleep(for: .milliseconds(60)) }
