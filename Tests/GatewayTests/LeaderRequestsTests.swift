@testable import Gateway
import LND
import Ledger
import Loop
import Payments
import TestSupport
import Testing
import Wire

@LoopActor
@Suite(.serialized) struct LeaderRequestsTests {
    private nonisolated static let wish = LeaderRequest.Wish.settle(PaymentHash(Bytes32()), nil)

    private func ask(_ requests: LeaderRequests, _ wish: LeaderRequest.Wish = wish, milliseconds: UInt64 = 20_000) async -> LeaderRequests.Outcome {
        await withCheckedContinuation { done in requests.ask(wish, milliseconds: milliseconds) { done.resume(returning: $0) } }
    }

    /// A desk that looks again and again, as a gateway's does.
    private func desk(_ ledger: Ledger) -> (LeaderRequests, Timer) {
        let requests = LeaderRequests(ledger: ledger)
        return (requests, Timer(afterMilliseconds: 20, repeats: 20) { requests.happened() })
    }

    @Test("what is asked here is done where somebody leads, and the answer comes back")
    func answered() async throws {
        try await withLedger { ledger in
            let (asking, looking) = desk(ledger), (leading, serving) = desk(ledger)
            let term = await ledger.lead()
            var served: [LeaderRequest.Wish] = []
            leading.term = { term }
            leading.serve = { wish, answer in
                served.append(wish)
                answer("done")
            }
            #expect(await ask(asking) == .answered("done"))
            #expect(served == [Self.wish])
            looking.cancel()
            serving.cancel()
        }
    }

    @Test("while nobody leads the wait ends in time, and what was asked is never done afterwards")
    func nobody() async throws {
        try await withLedger { ledger in
            let (asking, looking) = desk(ledger)
            #expect(await ask(asking, milliseconds: 50) == .noLeader)
            let begun = try await ledger.begin(await ledger.lead())
            #expect(begun.isEmpty)
            looking.cancel()
        }
    }

    @Test("what a leader has begun and not answered is not known")
    func begun() async throws {
        try await withLedger { ledger in
            let (asking, looking) = desk(ledger)
            let term = await ledger.lead()
            async let outcome = ask(asking, milliseconds: 1500)
            var begun: [LeaderRequest] = []
            while begun.isEmpty { begun = try await ledger.begin(term) }
            #expect(await outcome == .unanswered)
            looking.cancel()
        }
    }

    @Test("a leader that falls leaves what it has begun to the next, and cannot answer it any more")
    func fenced() async throws {
        try await withLedger { ledger in
            let (asking, looking) = desk(ledger)
            let first = await ledger.lead()
            async let outcome = ask(asking)
            var begun: [LeaderRequest] = []
            while begun.isEmpty { begun = try await ledger.begin(first) }
            let twice = try await ledger.begin(first)
            #expect(twice.isEmpty, "once in a term")
            let second = await ledger.lead()
            #expect(second == first + 1)
            let deposed = try await ledger.begin(first)
            #expect(deposed.isEmpty, "a deposed leader begins nothing")
            let again = try await ledger.begin(second)
            #expect(again == begun)
            await ledger.answer(begun[0].id, "late", first)
            await ledger.answer(begun[0].id, "done", second)
            #expect(await outcome == .answered("done"))
            looking.cancel()
        }
    }

    @Test("without the store nothing is asked")
    func away() async throws {
        try await withLedger { ledger in
            let (asking, looking) = desk(ledger)
            ledger.close()
            #expect(await ask(asking) == .unavailable)
            looking.cancel()
        }
    }

    @Test("a process that does not lead decides through the one that does, as often as it is asked")
    func routes() async throws {
        try await TestGateway.run { leader in
            try await TestGateway.run(database: leader.database, leads: false) { follower in
                let invoice = try await leader.create()
                let path = try "/v1/invoices/\(#require(invoice["payment_hash"]?.text))"
                let settled = await follower.ask("POST", path + "/settle", "{}")
                #expect(settled.status == 409 && settled.problem == "not_accepted")
                for _ in 0..<2 {
                    let canceled = await follower.ask("POST", path + "/cancel", "{}")
                    #expect(canceled.status == 200)
                    #expect(try canceled.json["state"]?.text == "canceled")
                }
                let unknown = await follower.ask("POST", "/v1/invoices/\(String(repeating: "0", count: 64))/cancel", "{}")
                #expect(unknown.status == 404)
                TestServer.sql("INSERT INTO accounts (id, name) VALUES (2, 'other')", in: leader.database)
                let other = await leader.makeKey([.invoicesSettle], account: 2)
                #expect(await follower.ask("POST", path + "/cancel", "{}", key: other).status == 404)
            }
        }
    }

    @Test("a node is drained and taken in again wherever that is asked")
    func drain() async throws {
        try await TestGateway.run { leader in
            try await TestGateway.run(database: leader.database, leads: false) { follower in
                let node = leader.gateway.nodes[0]
                for (what, state) in [("drain", "draining"), ("resume", "connected")] {
                    let answer = await follower.ask("POST", "/v1/nodes/\(node.pubkey.hex)/\(what)", "{}")
                    let told = try answer.json["state"]?.text
                    #expect(answer.status == 200 && told == state)
                    #expect(leader.gateway.stateName(of: node) == state)
                }
            }
        }
    }
}

extension Ledger {
    /// The next term.
    fileprivate func lead() async -> Int64 {
        await withCheckedContinuation { done in
            acquireLease(instance: "test", milliseconds: 60_000) { done.resume(returning: (try? $0.get()) ?? 0) }
        }
    }

    fileprivate func begin(_ term: Int64) async throws -> [LeaderRequest] {
        try await withCheckedContinuation { done in beginRequests(term: term) { done.resume(returning: $0) } }.get()
    }

    fileprivate func answer(_ id: Bytes32, _ text: String, _ term: Int64) async {
        await withCheckedContinuation { done in answerRequest(id, text, term: term) { _ in done.resume() } }
    }
}
