import Ledger
import Loop
import Payments
import Testing

@Suite("Drained nodes")
@LoopActor
struct DrainedNodeTests {
    private let node = Payment(1).parts[0].circuitKey.node

    @Test("are kept until they are taken in again, however often it is said")
    func kept() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let term = try #require(ledger.currentTerm)
            #expect(try await ledger.drainedNodes().isEmpty)
            for _ in 0..<2 { #expect(try await ledger.setDrained(node, true, term: term)) }
            let other = try await startedLedger(dsn)
            #expect(try await other.drainedNodes() == [node])
            other.close()
            for _ in 0..<2 { #expect(try await ledger.setDrained(node, false, term: term)) }
            #expect(try await ledger.drainedNodes().isEmpty)
        }
    }

    @Test("are not changed under a term that is over")
    func fenced() async throws {
        try await withLedger { (ledger, _) async throws in
            let term = try #require(ledger.currentTerm)
            #expect(try await ledger.setDrained(node, true, term: term))
            try await ledger.releaseLease()
            #expect(try await !ledger.setDrained(node, false, term: term))
            _ = try await ledger.acquireLease(instance: "another", milliseconds: 60_000)
            #expect(try await !ledger.setDrained(node, false, term: term))
            #expect(try await ledger.drainedNodes() == [node])
        }
    }
}
