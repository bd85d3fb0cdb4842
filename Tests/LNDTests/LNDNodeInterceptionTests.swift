import GRPC
import LNDProto
import Loop
import Payments
import SwiftProtobuf
import Testing

@testable import LND

@Suite("A connected node", .timeLimit(.minutes(1)))
@LoopActor
struct LNDNodeInterceptionTests {
    private let settle = Answer.settle(Samples.preimage, Samples.paymentHash)

    private func connected(_ fake: FakeNode) async throws -> Observed {
        try fake.start()
        let observed = Observed(port: fake.port)
        try await eventually("connects") { observed.isConnected }
        return observed
    }

    private func end(_ observed: Observed, _ fake: FakeNode) {
        observed.node.stop()
        fake.stop()
    }

    @Test("asks for the state, who it is, blocks and events, and intercepts last")
    func order() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        #expect(fake.calls.first == .subscribeState)
        #expect(Set(fake.calls[1...2]) == [.getInfo, .getVersion])
        #expect(Set(fake.calls[3...4]) == [.registerBlockEpoch, .subscribeHTLCEvents])
        #expect(Set(fake.calls[5...6]) == [.htlcInterceptor, .getState])
        #expect(observed.facts == [.connected, .height(700)])
        #expect(observed.states.first == .connecting)
        #expect(observed.node.info?.version == LNDVersion(0, 21, 2))
        end(observed, fake)
    }

    @Test("passes our HTLCs on, and answers each once with what was meant")
    func answers() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        for id in 0..<7 { fake.offer(UInt64(id)) }
        try await eventually { observed.offered == [0, 1, 2, 3, 4, 5, 6] }
        #expect(fake.answers.isEmpty)
        #expect(observed.offers[0].onion.count == 1366)
        let failure = (0..<292).map { UInt8($0 % 251) }
        let answers: [Answer] = [
            settle, .fail(encrypted: failure), .failTemporarily, .failBadOnion(.version), .failBadOnion(.hmac), .failBadOnion(.key), .resume,
        ]
        for (id, answer) in answers.enumerated() {
            #expect(observed.node.answer(Samples.key(UInt64(id)), answer) == .sent)
            #expect(observed.node.answer(Samples.key(UInt64(id)), answer) == .notHeld)
        }
        try await eventually { fake.answers.count == 7 }
        try await aWhile()
        #expect(fake.answers.count == 7)
        #expect(fake.answers.map(\.action) == [.settle, .fail, .fail, .fail, .fail, .fail, .resume])
        #expect([UInt8](fake.answers[0].preimage) == Samples.preimage.bytes.array)
        #expect([UInt8](fake.answers[1].failureMessage) == failure)
        #expect(fake.answers.map(\.failureCode.rawValue) == [0, 0, 15, 8, 9, 10, 0])
        #expect(fake.held.isEmpty)
        #expect(!fake.interceptorHalfClosed)
        #expect(observed.connections == 1)
        end(observed, fake)
    }

    @Test("resumes foreign forwards at once and tells nobody", arguments: [0, 42, UInt64.max])
    func foreign(channel: UInt64) async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        fake.offer(5) { $0.outgoingRequestedChanID = channel }
        try await eventually { fake.answers.map(\.action) == [.resume] }
        #expect(fake.answers[0].incomingCircuitKey.htlcID == 5)
        #expect(observed.offered.isEmpty)
        end(observed, fake)
    }

    @Test("never answers foreign offers on chain, so the stream lives")
    func foreignOnChain() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        fake.offer(5) { $0.outgoingRequestedChanID = 42; $0.autoFailHeight = 800 }
        fake.offer(6) { $0.outgoingRequestedChanID = 42; $0.autoFailHeight = 0 }
        fake.offer(7) { $0.outgoingRequestedChanID = 42 }
        try await eventually { !fake.answers.isEmpty }
        try await aWhile()
        #expect(fake.answers.map(\.incomingCircuitKey.htlcID) == [7])
        #expect(observed.offered.isEmpty)
        #expect(observed.connections == 1)
        end(observed, fake)
    }

    @Test("passes our offers on chain on, flagged, and sends only a settlement")
    func oursOnChain() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        fake.offer(5) { $0.autoFailHeight = 800 }
        try await eventually { observed.offered == [5] }
        #expect(observed.offers[0].isOnChain)
        #expect(observed.node.answer(Samples.key(5), .resume) == .refusedLocally(.onChain))
        #expect(observed.node.answer(Samples.key(5), .failTemporarily) == .refusedLocally(.onChain))
        #expect(observed.node.answer(Samples.key(5), settle) == .sent)
        try await eventually { fake.answers.map(\.action) == [.settle] }
        #expect(observed.connections == 1)
        end(observed, fake)
    }

    @Test("does not send what would end the stream")
    func holdsBack() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        fake.offer(5)
        try await eventually { observed.offered == [5] }
        let wrong = Preimage(Bytes32())
        #expect(observed.node.answer(Samples.key(5), .settle(wrong, Samples.paymentHash)) == .refusedLocally(.preimageMismatch))
        #expect(observed.node.answer(Samples.key(5), .fail(encrypted: [1])) == .refusedLocally(.failureLength(1)))
        #expect(observed.node.answer(Samples.key(99), settle) == .notHeld)
        fake.mine(781)
        try await eventually { observed.heights.last == 781 }
        #expect(observed.node.answer(Samples.key(5), settle) == .notHeld)
        try await aWhile()
        #expect(fake.answers.isEmpty)
        #expect(observed.connections == 1)
        end(observed, fake)
    }

    @Test("tells every height, also when blocks are reorganised away")
    func heights() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        for height in [701, 702, 650, 0, 703, UInt32.max, 704] as [UInt32] { fake.mine(height) }
        try await eventually { observed.heights == [700, 701, 702, 650, 0, 703, .max, 704] }
        #expect(observed.isConnected)
        end(observed, fake)
    }

    @Test("forgets on a lost stream what it held, and holds it again when it is replayed")
    func replay() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        fake.offer(1)
        fake.offer(2)
        try await eventually { observed.offered == [1, 2] }
        #expect(observed.node.answer(Samples.key(1), settle) == .sent)
        try await eventually { fake.answers.count == 1 }
        fake.drop()
        try await eventually { !observed.isConnected }
        #expect(observed.node.answer(Samples.key(2), settle) == .notHeld)
        try await eventually { observed.offered == [1, 2, 2] }
        let lost = observed.facts.firstIndex(of: .streamLost)
        #expect(lost.map { if case .disconnected = observed.facts[$0 + 1] { true } else { false } } == true)
        #expect(observed.facts.suffix(3) == [.connected, .height(700), .offered(2)])
        #expect(observed.node.answer(Samples.key(2), settle) == .sent)
        try await eventually { fake.answers.count == 2 }
        end(observed, fake)
    }

    @Test("an error of the interceptor's stream leads to a new one")
    func streamError() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        fake.endInterceptor(GRPCStatus(.unknown, "forward does not exist"))
        try await eventually { observed.connections == 2 }
        #expect(observed.facts.contains(.streamLost))
        let problems = observed.facts.compactMap { if case .disconnected(let problem) = $0 { problem } else { nil } }
        #expect(problems.map(\.reason) == ["forward does not exist"])
        end(observed, fake)
    }

    @Test("waits for the ghost of its last connection to vanish")
    func ghost() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        fake.dropLeavingGhost()
        try await eventually { fake.calls.count { $0 == .htlcInterceptor } >= 4 }
        #expect(observed.refusal == nil)
        #expect(observed.connections == 1)
        #expect(observed.node.problem?.reason.contains("another interceptor") == true)
        fake.ghostVanishes()
        try await eventually { observed.connections == 2 }
        end(observed, fake)
    }

    @Test("says so when the other interceptor stays")
    func occupied() async throws {
        let fake = FakeNode()
        fake.dropLeavingGhost()
        try fake.start()
        let observed = Observed(port: fake.port, ghostPatience: 100)
        try await eventually { observed.refusal != nil }
        #expect(observed.refusal?.remedy.contains("stop the other program") == true)
        #expect(observed.facts.isEmpty)
        end(observed, fake)
    }

    @Test("looks up what is not final at each connect, and every ten blocks")
    func lookups() async throws {
        let fake = FakeNode()
        fake.resolutions = [
            1: Resolution(isSettled: true, isOffChain: true), 2: Resolution(isSettled: false, isOffChain: false),
        ]
        try fake.start()
        let observed = Observed(port: fake.port)
        observed.pending = [Samples.key(1), Samples.key(2), Samples.key(3), Samples.key(4, node: PublicKey([3] + [UInt8](repeating: 1, count: 32))!)]
        try await eventually { fake.lookups.sorted() == [1, 2, 3] && observed.isConnected }
        #expect(observed.facts.contains(.resolution(1, Resolution(isSettled: true, isOffChain: true))))
        // Nothing at all is an HTLC that timed out on chain, not one that is unknown.
        #expect(observed.facts.contains(.resolution(2, Resolution(isSettled: false, isOffChain: false))))
        observed.pending = [Samples.key(3)]
        fake.mine(709)
        fake.mine(691)
        try await aWhile()
        #expect(fake.lookups.count == 3)
        fake.resolutions[3] = Resolution(isSettled: true, isOffChain: false)
        fake.mine(710)
        try await eventually { observed.facts.contains(.resolution(3, Resolution(isSettled: true, isOffChain: false))) }
        fake.drop()
        try await eventually { fake.lookups.count == 5 }
        end(observed, fake)
    }

    @Test("many look-ups are asked a few at a time, and each comes")
    func manyLookups() async throws {
        let fake = FakeNode()
        for id in 0..<500 { fake.resolutions[UInt64(id)] = Resolution(isSettled: true, isOffChain: true) }
        try fake.start()
        let observed = Observed(port: fake.port)
        observed.pending = (0..<500).map { Samples.key(UInt64($0)) }
        try await eventually { observed.facts.count { if case .resolution = $0 { true } else { false } } == 500 }
        #expect(fake.lookups.count == 500)
        end(observed, fake)
    }

    @Test("tells final events as they come")
    func finalEvents() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        fake.tell(.with { $0.incomingChannelID = 1; $0.incomingHtlcID = 9; $0.settleEvent = .init() })
        fake.tell(.with { $0.incomingChannelID = 1; $0.incomingHtlcID = 9; $0.finalHtlcEvent = .with { $0.settled = true; $0.offchain = true } })
        fake.tell(.with { $0.incomingChannelID = 1; $0.incomingHtlcID = 8; $0.finalHtlcEvent = .init() })
        try await eventually {
            observed.facts.suffix(2) == [
                .resolution(9, Resolution(isSettled: true, isOffChain: true)), .resolution(8, Resolution(isSettled: false, isOffChain: false)),
            ]
        }
        end(observed, fake)
    }

    @Test("draining changes the state and nothing of the interception, also across a reconnect")
    func draining() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        observed.node.drain()
        guard case .draining = observed.node.state else { throw Failure.unexpected }
        fake.offer(1)
        try await eventually { observed.offered == [1] }
        #expect(observed.node.answer(Samples.key(1), settle) == .sent)
        fake.drop()
        try await eventually { observed.connections == 2 }
        guard case .draining = observed.node.state else { throw Failure.unexpected }
        observed.node.resume()
        guard case .connected = observed.node.state else { throw Failure.unexpected }
        end(observed, fake)
    }

    @Test("stopped, it closes the stream, tells nothing more, and can be started again")
    func stopAndStart() async throws {
        let fake = FakeNode()
        let observed = try await connected(fake)
        observed.node.stop()
        #expect(observed.node.state == .stopped)
        try await eventually { fake.interceptor == nil }
        fake.offer(1)
        try await aWhile()
        #expect(observed.facts == [.connected, .height(700)])
        observed.node.start()
        try await eventually { observed.offered == [1] }
        end(observed, fake)
    }

    @Test("trouble with one node does not touch another")
    func isolation() async throws {
        let good = FakeNode()
        let bad = FakeNode()
        bad.garbage[.htlcInterceptor] = [0xff, 0xff, 0xff]
        try bad.start()
        let observed = try await connected(good)
        let other = Observed(port: bad.port)
        try await eventually { other.facts.count { $0 == .streamLost } >= 2 }
        good.offer(1)
        try await eventually { observed.offered == [1] }
        #expect(observed.connections == 1)
        end(observed, good)
        end(other, bad)
    }
}
