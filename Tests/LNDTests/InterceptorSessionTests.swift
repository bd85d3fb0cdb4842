import Payments
import Testing

@testable import LND

@Suite("A session of the interceptor")
struct InterceptorSessionTests {
    private func session(holding offers: WireOffer...) -> InterceptorSession {
        var session = InterceptorSession(node: Samples.node)
        for offer in offers { _ = session.offered(offer) }
        return session
    }

    private let settle = Answer.settle(Samples.preimage, Samples.paymentHash)

    @Test("holds what is addressed to the virtual channel and passes it on unchanged")
    func holdsOurs() throws {
        var session = InterceptorSession(node: Samples.node)
        guard case .hold(let htlc) = session.offered(Samples.offer(3)) else { throw Failure.unexpected }
        #expect(htlc.circuitKey == Samples.key(3))
        #expect(htlc.paymentHash == Samples.paymentHash)
        #expect(!htlc.isOnChain)
        #expect(session.held.count == 1)
    }

    @Test("resumes foreign forwards and holds nothing of them", arguments: [0, 1, 42, UInt64.max, 1 << 63])
    func resumesForeign(channel: UInt64) {
        var session = InterceptorSession(node: Samples.node)
        #expect(session.offered(Samples.offer(3, channel: channel)) == .resume(.init(chanID: 1, htlcID: 3)))
        #expect(session.answer(Samples.key(3), with: settle, by: SampleHash.self) == .notHeld)
    }

    @Test("leaves foreign offers on chain unanswered", arguments: [(800, 0), (800, 800), (800, 801), (0, 0)] as [(UInt32, Int32)])
    func leavesForeignOnChain(incomingExpiry: UInt32, autoFailHeight: Int32) {
        var session = InterceptorSession(node: Samples.node)
        #expect(session.offered(Samples.offer(channel: 42, incomingExpiry: incomingExpiry, autoFailHeight: autoFailHeight)) == .leave)
    }

    @Test("resumes a foreign forward whose deadline overflowed in the node")
    func negativeDeadline() {
        var session = InterceptorSession(node: Samples.node)
        let offer = Samples.offer(channel: 42, incomingExpiry: .max, autoFailHeight: -20)
        #expect(session.offered(offer) == .resume(offer.circuit))
    }

    @Test("settles an offer on chain, and refuses every other answer to it", arguments: [0, 800] as [Int32])
    func onChainOnlySettles(autoFailHeight: Int32) throws {
        var session = InterceptorSession(node: Samples.node)
        guard case .hold(let htlc) = session.offered(Samples.offer(autoFailHeight: autoFailHeight)) else { throw Failure.unexpected }
        #expect(htlc.isOnChain)
        for answer in [Answer.resume, .failTemporarily, .failBadOnion(.hmac), .fail(encrypted: [UInt8](repeating: 0, count: 292))] {
            #expect(session.answer(Samples.key(0), with: answer, by: SampleHash.self) == .refused(.onChain))
        }
        #expect(session.answer(Samples.key(0), with: settle, by: SampleHash.self) != .notHeld)
    }

    @Test("an HTLC that moves on chain can only be settled from then on")
    func movesOnChain() {
        var session = session(holding: Samples.offer(autoFailHeight: 781), Samples.offer(autoFailHeight: 800))
        #expect(session.held.count == 1)
        #expect(session.answer(Samples.key(0), with: .failTemporarily, by: SampleHash.self) == .refused(.onChain))
    }

    @Test("sends one answer for each offer")
    func answersOnce() {
        var session = session(holding: Samples.offer())
        let reply = InterceptorSession.Reply(circuit: .init(chanID: 1, htlcID: 0), action: .settle(Samples.preimage))
        #expect(session.answer(Samples.key(0), with: settle, by: SampleHash.self) == .send(reply))
        #expect(session.answer(Samples.key(0), with: settle, by: SampleHash.self) == .notHeld)
        #expect(session.answer(Samples.key(0), with: .failTemporarily, by: SampleHash.self) == .notHeld)
        #expect(session.answer(Samples.key(1), with: settle, by: SampleHash.self) == .notHeld)
    }

    @Test("the same index of another channel or node is another HTLC")
    func keysAreWhole() {
        var session = session(holding: Samples.offer())
        let other = PublicKey([3] + (1...32).map { UInt8($0) })!
        #expect(session.answer(Samples.key(0, chanID: 2), with: settle, by: SampleHash.self) == .notHeld)
        #expect(session.answer(Samples.key(0, node: other), with: settle, by: SampleHash.self) == .notHeld)
        #expect(session.held.count == 1)
    }

    @Test("answers a replay after a settlement again: the channel may have been closed meanwhile")
    func settlesAgain() {
        var session = session(holding: Samples.offer())
        _ = session.answer(Samples.key(0), with: settle, by: SampleHash.self)
        _ = session.offered(Samples.offer(autoFailHeight: 800))
        #expect(session.answer(Samples.key(0), with: settle, by: SampleHash.self) != .notHeld)
    }

    @Test("never sends a preimage that is not the HTLC's")
    func checksPreimage() {
        var session = session(holding: Samples.offer())
        let wrong = Preimage(Bytes32([UInt8](repeating: 8, count: 32))!)
        let wrongHash = PaymentHash(wrong.bytes.withSpan { SampleHash.sha256($0) })
        for answer in [Answer.settle(wrong, Samples.paymentHash), .settle(wrong, wrongHash), .settle(Samples.preimage, wrongHash)] {
            #expect(session.answer(Samples.key(0), with: answer, by: SampleHash.self) == .refused(.preimageMismatch))
        }
        #expect(session.held.count == 1)
    }

    @Test("never sends an encrypted failure of another length", arguments: [0, 1, 291, 293, 1024])
    func checksLength(count: Int) {
        var session = session(holding: Samples.offer())
        let answer = Answer.fail(encrypted: [UInt8](repeating: 1, count: count))
        #expect(session.answer(Samples.key(0), with: answer, by: SampleHash.self) == .refused(.failureLength(count)))
        #expect(session.held.count == 1)
    }

    @Test("an answer that was held back can be corrected")
    func refusalKeepsHolding() {
        var session = session(holding: Samples.offer())
        _ = session.answer(Samples.key(0), with: .fail(encrypted: []), by: SampleHash.self)
        #expect(session.answer(Samples.key(0), with: .failTemporarily, by: SampleHash.self) != .notHeld)
    }

    @Test("forgets what the node fails by itself, exactly at its height")
    func autoFails() {
        var session = session(holding: Samples.offer(0, autoFailHeight: 781), Samples.offer(1, autoFailHeight: 782))
        session.heightReached(780)
        #expect(session.held.count == 2)
        session.heightReached(781)
        #expect(session.answer(Samples.key(0), with: settle, by: SampleHash.self) == .notHeld)
        #expect(session.answer(Samples.key(1), with: settle, by: SampleHash.self) != .notHeld)
    }

    @Test("a height that goes down changes nothing")
    func heightGoesDown() {
        var session = session(holding: Samples.offer(0, autoFailHeight: 781), Samples.offer(1, autoFailHeight: 782))
        session.heightReached(781)
        session.heightReached(500)
        #expect(session.answer(Samples.key(0), with: settle, by: SampleHash.self) == .notHeld)
        #expect(session.held.count == 1)
    }

    @Test("an offer on chain is kept until its expiry")
    func onChainDeadline() {
        var session = session(holding: Samples.offer(autoFailHeight: 800))
        session.heightReached(799)
        #expect(session.held.count == 1)
        session.heightReached(800)
        #expect(session.held.isEmpty)
    }

    @Test("fails what is ours but has no payment hash", arguments: [0, 31, 33])
    func badHash(count: Int) {
        var session = InterceptorSession(node: Samples.node)
        let offer = Samples.offer(paymentHash: [UInt8](repeating: 1, count: count))
        #expect(session.offered(offer) == .failTemporarily(offer.circuit))
        #expect(session.offered(Samples.offer(paymentHash: [], autoFailHeight: 0)) == .leave)
        #expect(session.held.isEmpty)
    }
}

enum Failure: Error { case unexpected }
