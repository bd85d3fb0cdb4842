import Testing

@testable import lnsim

@Suite struct SimulatedNodeSessionTests {
    @Test("a second interceptor is refused and the first is unharmed")
    func secondInterceptor() {
        var script = NodeScript()
        #expect(script.connect(1).isEmpty)
        #expect(script.connect(2) == [.endSession(2, .interceptorExists)])
        #expect(script.node.arrived(NodeScript.htlc(0)).offeredIDs == [0])
        #expect(script.node.slot == .client(session: 1))
    }

    @Test("everything held is offered again on the next stream, none of it twice on one")
    func replay() {
        var script = NodeScript()
        script.connect(1)
        for id in 0..<20 { #expect(script.node.arrived(NodeScript.htlc(UInt64(id))).offeredIDs == [UInt64(id)]) }
        script.answer(NodeScript.settle(3))
        #expect(script.node.disconnected(session: 1).isEmpty)
        let offered = script.connect(2).offeredIDs
        #expect(offered.sorted() == (0..<20).filter { $0 != 3 })
        #expect(script.node.arrived(NodeScript.htlc(5)).isEmpty)
    }

    @Test("replays come in no particular order")
    func shuffled() {
        var script = NodeScript()
        script.connect(1)
        for id in 0..<20 { _ = script.node.arrived(NodeScript.htlc(UInt64(id))) }
        let orders = (2..<12).map { session -> [UInt64] in
            _ = script.node.disconnected(session: session - 1)
            return script.connect(session).offeredIDs
        }
        #expect(Set(orders).count > 1)
    }

    @Test("a ghost keeps the place until the node notices, and new HTLCs wait for whoever comes next")
    func ghost() {
        var script = NodeScript()
        script.connect(1)
        script.node.ghosted()
        #expect(script.node.disconnected(session: 1).isEmpty)
        #expect(script.connect(2).refusals == [.interceptorExists])
        #expect(script.node.arrived(NodeScript.htlc(0)).isEmpty)
        _ = script.node.ghostNoticed()
        #expect(script.connect(3).offeredIDs == [0])
    }

    @Test("with requireinterceptor new HTLCs fail without a client and held ones stay")
    func required() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        #expect(script.node.disconnected(session: 1).isEmpty)
        let orders = script.run(script.node.arrived(NodeScript.htlc(1)))
        #expect(orders.outcomes == [.failed(code: 0x1007)])
        #expect(script.isHeld(0))
    }

    @Test("without requireinterceptor held HTLCs are let go and end as unknown_next_peer")
    func notRequired() {
        var script = NodeScript { $0.requiresInterceptor = false }
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        let released = script.node.disconnected(session: 1)
        #expect(script.run(released).outcomes == [.failed(code: 0x400a)])
        let passed = script.node.arrived(NodeScript.htlc(1, next: NodeScript.realChannel))
        #expect(script.run(passed).outcomes == [.forwarded])
    }

    @Test("half-closing ends the stream with EOF")
    func halfClose() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        #expect(script.node.halfClosed(session: 1) == [.endSession(1, .halfClosed)])
        #expect(script.node.slot == .free)
        #expect(script.connect(2).offeredIDs == [0])
    }

    @Test("a restart offers again what was answered but had not left the link's mailbox")
    func restart() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        _ = script.node.arrived(NodeScript.htlc(1))
        script.answer(NodeScript.settle(0))
        #expect(script.node.restarted().isEmpty)
        #expect(script.connect(2).offeredIDs.sorted() == [0, 1])
        let answered = script.answer(NodeScript.settle(0), session: 2)
        #expect(script.run(answered).finals == [FinalResolution(isSettled: true, isOffChain: true)])
    }
}
