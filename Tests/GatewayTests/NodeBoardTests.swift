@testable import Gateway
import Keys
import Ledger
import Loop
import Payments
import Testing

@LoopActor
@Suite struct NodeBoardTests {
    private let alice = PaidInvoice.identity.publicKey

    private func lead(_ ledger: Ledger) async -> Int64 {
        await withCheckedContinuation { done in
            ledger.acquireLease(instance: "a", milliseconds: 60_000) { result in
                if case .success(let term?) = result { done.resume(returning: term) } else { done.resume(returning: -1) }
            }
        }
    }

    @Test("what the leader tells is read by another process, and a change replaces it")
    func told() async throws {
        try await withLedger { ledger in
            let term = await lead(ledger)
            let leader = NodeBoard(ledger: ledger)
            let edge = NodeBoard(ledger: ledger)
            for state in ["connected", "draining"] {
                leader.tell([alice: state], term: term)
                #expect(await eventually { leader.states == [alice: state] })
                edge.read()
                #expect(await eventually { edge.states == [alice: state] })
            }
        }
    }

    @Test("a deposed leader tells nothing")
    func deposed() async throws {
        try await withLedger { ledger in
            let term = await lead(ledger)
            let deposed = NodeBoard(ledger: ledger)
            deposed.tell([alice: "connected"], term: term - 1)
            #expect(await eventually { !deposed.states.isEmpty })
            let edge = NodeBoard(ledger: ledger)
            edge.read()
            await aWhile()
            #expect(edge.states.isEmpty)
        }
    }
}
