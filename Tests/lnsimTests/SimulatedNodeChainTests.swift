import Testing

@testable import lnsim

@Suite struct SimulatedNodeChainTests {
    @Test("an HTLC is offered 22 blocks before it expires and refused as expiry_too_soon at 21")
    func interceptDelta() {
        var script = NodeScript()
        script.connect(1)
        #expect(script.node.arrived(NodeScript.htlc(0, expiry: 1022)).offeredIDs == [0])
        let refused = script.node.arrived(NodeScript.htlc(1, expiry: 1021))
        #expect(script.run(refused).outcomes == [.failed(code: 0x100e)])
    }

    @Test("an expiry whose auto-fail height overflows is failed by the node itself")
    func overflow() {
        var script = NodeScript()
        script.connect(1)
        let refused = script.node.arrived(NodeScript.htlc(0, expiry: .max))
        #expect(script.run(refused).outcomes == [.failed(code: 0x0015)])
    }

    @Test("auto-fail comes exactly 19 blocks before the expiry and a later SETTLE ends the stream")
    func autoFail() {
        var script = NodeScript()
        script.connect(1)
        let offer = script.node.arrived(NodeScript.htlc(0, expiry: 1100))
        #expect(offer == [.offer(NodeScript.htlc(0, expiry: 1100), autoFailHeight: 1081, session: 1)])
        #expect(script.node.heightReached(1080).isEmpty)
        let orders = script.node.heightReached(1081)
        let seen = script.run(orders)
        #expect(seen.outcomes == [.failed(code: 0x1007)])
        #expect(seen.finals == [FinalResolution(isSettled: false, isOffChain: true)])
        #expect(script.answer(NodeScript.settle(0)).refusals.count == 1)
    }

    @Test("an on-chain offer has the same key and the expiry as its deadline, and is replayed")
    func onChainOffer() {
        var script = NodeScript()
        script.connect(1)
        let htlc = NodeScript.htlc(0)
        _ = script.node.arrived(htlc)
        #expect(script.node.wentOnChain(htlc.circuit) == [.offer(htlc, autoFailHeight: 1160, session: 1)])
        _ = script.node.disconnected(session: 1)
        #expect(script.connect(2) == [.offer(htlc, autoFailHeight: 1160, session: 2)])
    }

    @Test("RESUME and FAIL of an on-chain offer end the stream; SETTLE claims it on chain")
    func onChainAnswers() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        _ = script.node.wentOnChain(NodeScript.circuit(0))
        #expect(script.answer(NodeScript.resume(0)).refusals == [.resumeOnChain])
        script.connect(2)
        #expect(script.answer(NodeScript.fail(0), session: 2).refusals == [.failOnChain])
        script.connect(3)
        let orders = script.answer(NodeScript.settle(0), session: 3)
        #expect(script.run(orders).finals == [FinalResolution(isSettled: true, isOffChain: false)])
    }

    @Test("an on-chain HTLC that nobody claims is lost at its expiry, with both fields false")
    func onChainTimeout() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        _ = script.node.wentOnChain(NodeScript.circuit(0))
        #expect(script.node.heightReached(1159).isEmpty)
        #expect(script.node.heightReached(1160).finals == [FinalResolution(isSettled: false, isOffChain: false)])
    }

    @Test("a settled HTLC whose peer is away completes when it returns")
    func peerReturns() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        _ = script.node.peerChanged(chanID: NodeScript.channel, isAway: true)
        let orders = script.answer(NodeScript.settle(0))
        #expect(script.run(orders).isEmpty)
        let returned = script.node.peerChanged(chanID: NodeScript.channel, isAway: false)
        #expect(script.run(returned).finals == [FinalResolution(isSettled: true, isOffChain: true)])
    }

    @Test("a settled HTLC whose peer stays away until the expiry is lost (LND issue 6040)")
    func peerStaysAway() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        _ = script.node.peerChanged(chanID: NodeScript.channel, isAway: true)
        script.answer(NodeScript.settle(0))
        #expect(script.node.heightReached(1160).finals == [FinalResolution(isSettled: false, isOffChain: false)])
    }

    @Test("after a restart with the peer away the HTLC is offered only once the link is back")
    func restartWhileAway() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        _ = script.node.peerChanged(chanID: NodeScript.channel, isAway: true)
        script.answer(NodeScript.settle(0))
        _ = script.node.restarted()
        #expect(script.connect(2).offeredIDs.isEmpty)
        #expect(script.node.peerChanged(chanID: NodeScript.channel, isAway: false).offeredIDs == [0])
    }

    @Test("settled, then forced on chain before the peer knew: it is offered again and wants SETTLE again")
    func settledThenOnChain() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        script.answer(NodeScript.settle(0))
        #expect(script.node.wentOnChain(NodeScript.circuit(0))?.offeredIDs == [0])
        #expect(script.node.delivered(NodeScript.circuit(0)).isEmpty)
        let orders = script.answer(NodeScript.settle(0))
        #expect(script.run(orders).finals == [FinalResolution(isSettled: true, isOffChain: false)])
    }

    @Test("a lower height fails nothing")
    func reorganisation() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        #expect(script.node.heightReached(990).isEmpty)
        #expect(script.isHeld(0))
    }

    @Test("a block that is mined again has another hash")
    func hashes() {
        var chain = SimulatedChain(height: 100)
        let first = chain.extend(by: 2)
        #expect(first.map(\.height) == [101, 102])
        #expect(chain.move(to: 100).map(\.height) == [100])
        let second = chain.extend(by: 2)
        #expect(second.map(\.height) == [101, 102])
        #expect(first[1].hash != second[1].hash)
    }
}
