import Payments
import TestSupport
import Testing

@testable import lnsim

@Suite struct SimulatedNodeHistoryTests {
    @Test("in any history an HTLC ends at most once, never stays held past its time, and is never offered to nobody", arguments: 0..<40)
    func anyHistory(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var script = NodeScript { $0.requiresInterceptor = seed % 4 != 0 }
        var ends: [Circuit: Int] = [:]
        var session = 0
        var nextID: UInt64 = 0
        var pending: [NodeOrder] = []

        func look(at orders: [NodeOrder]) {
            for order in orders {
                switch order {
                case .deliver, .finalise: pending.append(order)
                case .offer(_, _, let to): #expect(script.node.slot == .client(session: to))
                case .tell(.final(let circuit, _)): ends[circuit, default: 0] += 1
                case .endSession, .tell, .report: break
                }
            }
        }

        for _ in 0..<200 {
            let id = UInt64.random(in: 0...max(nextID, 1), using: &random)
            switch Int.random(in: 0..<12, using: &random) {
            case 0...2:
                let expiry = script.node.height + UInt32.random(in: 15..<60, using: &random)
                look(at: script.node.arrived(NodeScript.htlc(nextID, expiry: expiry)))
                nextID += 1
            case 3:
                session += 1
                look(at: script.connect(session))
            case 4: look(at: script.node.disconnected(session: session))
            case 5: look(at: script.answer(NodeScript.settle(id), session: session))
            case 6: look(at: script.answer(NodeScript.fail(id), session: session))
            case 7: look(at: script.node.heightReached(script.node.height + UInt32.random(in: 0..<6, using: &random)))
            case 8:
                let isAway = Bool.random(using: &random)
                look(at: script.node.peerChanged(chanID: NodeScript.channel, isAway: isAway))
            case 9: look(at: script.node.wentOnChain(NodeScript.circuit(id)) ?? [])
            case 10: look(at: script.node.restarted())
            default:
                let due = pending
                pending = []
                for order in due {
                    switch order {
                    case .deliver(let circuit): look(at: script.node.delivered(circuit))
                    case .finalise(let circuit): look(at: script.node.finalised(circuit))
                    default: break
                    }
                }
            }
            let late = script.node.transits.values.filter { $0.phase == .held && $0.autoFailHeight <= script.node.height }
            #expect(late.isEmpty)
        }
        #expect(ends.values.allSatisfy { $0 == 1 })
        #expect(ends.count == script.node.counts.settled + script.node.counts.failed)
    }

    @Test("bytes that are no answer end the stream; whatever is one never traps", arguments: 0..<20)
    func fuzz(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var script = NodeScript()
        _ = script.node.arrived(NodeScript.htlc(0))
        for session in 1...200 {
            script.connect(session)
            let bytes = (0..<Int.random(in: 0..<60, using: &random)).map { _ in UInt8.random(in: 0...40, using: &random) }
            guard let answer = NodeMessages.answer(bytes) else {
                #expect(script.node.garbled(session: session).refusals == [.unreadable])
                continue
            }
            #expect(script.answer(answer, session: session).refusals.count == 1)
        }
    }
}
