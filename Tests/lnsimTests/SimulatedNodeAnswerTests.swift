import Payments
import Testing

@testable import lnsim

@Suite struct SimulatedNodeAnswerTests {
    struct WrongAnswer: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var answer: InterceptorAnswer
        var code: NodeRefusal.Code
        var text: String
    }

    static let wrongAnswers = [
        WrongAnswer(
            testDescription: "no key", answer: InterceptorAnswer(action: 2), code: .invalidArgument,
            text: "CircuitKey missing from ForwardHtlcInterceptResponse"),
        WrongAnswer(
            testDescription: "unknown key", answer: NodeScript.resume(9), code: .unknown,
            text: "forward does not exist: (Chan ID=700000:1:0, HTLC ID=9)"),
        WrongAnswer(
            testDescription: "no preimage", answer: InterceptorAnswer(circuit: NodeScript.circuit(0)), code: .unknown,
            text: "missing preimage"),
        WrongAnswer(
            testDescription: "short preimage",
            answer: InterceptorAnswer(circuit: NodeScript.circuit(0), preimage: [UInt8](repeating: 1, count: 31)),
            code: .unknown, text: "invalid preimage length of 31, want 32"),
        WrongAnswer(
            testDescription: "wrong preimage",
            answer: InterceptorAnswer(circuit: NodeScript.circuit(0), preimage: [UInt8](repeating: 1, count: 32)),
            code: .unknown, text: "preimage does not match hash"),
        WrongAnswer(
            testDescription: "message and code",
            answer: InterceptorAnswer(
                circuit: NodeScript.circuit(0), action: 1, failureMessage: [UInt8](repeating: 0, count: 292), failureCode: 15),
            code: .invalidArgument, text: "failure message and failure code are mutually exclusive"),
        WrongAnswer(
            testDescription: "message too short",
            answer: InterceptorAnswer(
                circuit: NodeScript.circuit(0), action: 1, failureMessage: [UInt8](repeating: 0, count: 291)),
            code: .invalidArgument, text: "failure message length invalid"),
        WrongAnswer(
            testDescription: "code that LND does not send", answer: NodeScript.fail(0, code: 18), code: .invalidArgument,
            text: "unsupported failure code: X"),
        WrongAnswer(
            testDescription: "unknown action", answer: InterceptorAnswer(circuit: NodeScript.circuit(0), action: 9),
            code: .invalidArgument, text: "unrecognized resolve action 9"),
    ]

    @Test("a wrong answer ends the stream with LND's status and leaves the HTLC held", arguments: wrongAnswers)
    func wrongAnswer(_ wrong: WrongAnswer) {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        let orders = script.answer(wrong.answer)
        #expect(orders == [.endSession(1, NodeRefusal(code: wrong.code, text: wrong.text))])
        #expect(script.isHeld(0))
        #expect(script.node.slot == .free)
        #expect(script.node.violations == [wrong.text: 1])
        #expect(script.connect(2).offeredIDs == [0])
    }

    @Test("a key can be answered once")
    func answeredTwice() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        #expect(script.answer(NodeScript.settle(0)).refusals.isEmpty)
        let text = "forward does not exist: (Chan ID=700000:1:0, HTLC ID=0)"
        #expect(script.answer(NodeScript.settle(0)).refusals == [NodeRefusal(code: .unknown, text: text)])
    }

    @Test("answers of an ended stream are nobody's")
    func lateAnswer() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        _ = script.node.disconnected(session: 1)
        script.connect(2)
        #expect(script.answer(NodeScript.settle(0), session: 1).isEmpty)
        #expect(script.isHeld(0))
    }

    @Test("SETTLE pays the payer, then tells settle_event and final_htlc_event, and is not final before that")
    func settle() throws {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        let circuit = NodeScript.circuit(0)
        #expect(script.answer(NodeScript.settle(0)) == [.deliver(circuit)])
        #expect(throws: NodeRefusal.htlcUnknown) { try script.node.resolution(of: circuit) }
        let preimage = Preimage(NodeScript.preimage)
        let part = SimulatedHTLC.Part(payment: 1, index: 0)
        #expect(
            script.node.delivered(circuit)
                == [.report(part, .settled(preimage)), .tell(.settled(circuit, preimage)), .finalise(circuit)])
        #expect(throws: NodeRefusal.htlcUnknown) { try script.node.resolution(of: circuit) }
        let final = FinalResolution(isSettled: true, isOffChain: true)
        #expect(script.node.finalised(circuit) == [.tell(.final(circuit, final))])
        #expect(try script.node.resolution(of: circuit) == final)
    }

    @Test("an encrypted failure reaches the payer as it is, a code as the node's own failure")
    func failures() {
        var script = NodeScript()
        script.connect(1)
        for id in 0..<4 { _ = script.node.arrived(NodeScript.htlc(UInt64(id))) }
        let packet = [UInt8](repeating: 5, count: 292)
        let behind = script.answer(
            InterceptorAnswer(circuit: NodeScript.circuit(0), action: 1, failureMessage: packet))
        let seen = script.run(behind)
        #expect(seen.outcomes == [.failedBehind(packet: packet)])
        #expect(seen.finals == [FinalResolution(isSettled: false, isOffChain: true)])
        for (id, number, code) in [(1, 0, 0x1007), (2, 8, 0xc004), (3, 10, 0xc006)] as [(UInt64, Int, UInt16)] {
            let orders = script.answer(NodeScript.fail(id, code: number))
            #expect(script.run(orders).outcomes == [.failed(code: code)])
        }
    }

    @Test("RESUME forwards to a real channel and ends as unknown_next_peer for any other")
    func resume() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        _ = script.node.arrived(NodeScript.htlc(1, next: NodeScript.realChannel))
        let unknown = script.answer(NodeScript.resume(0))
        #expect(script.run(unknown).outcomes == [.failed(code: 0x400a)])
        let forwarded = script.answer(NodeScript.resume(1))
        #expect(script.run(forwarded).outcomes == [.forwarded])
    }

    @Test("records below 65536 are refused in RESUME_MODIFIED")
    func records() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        let answer = InterceptorAnswer(circuit: NodeScript.circuit(0), action: 3, recordTypes: [70_000, 5])
        #expect(script.answer(answer).refusals.map(\.code) == [.invalidArgument])
    }

    @Test("an HTLC that is settled, offered again and failed is noted: the same question wants the same answer")
    func changedAnswer() {
        var script = NodeScript()
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        let settled = script.answer(NodeScript.settle(0))
        _ = script.run(settled)
        #expect(script.node.replayed(NodeScript.circuit(0))?.offeredIDs == [0])
        script.answer(NodeScript.fail(0))
        #expect(script.node.violations.keys.contains { $0.hasPrefix("settled, later failed") })
    }

    @Test("resolutions are UNAVAILABLE while they are not stored, and NOT_FOUND for those that were not")
    func notStored() {
        var script = NodeScript { $0.storesFinalResolutions = false }
        script.connect(1)
        _ = script.node.arrived(NodeScript.htlc(0))
        let orders = script.answer(NodeScript.settle(0))
        #expect(script.run(orders).finals.count == 1)
        #expect(throws: NodeRefusal.resolutionsNotStored) { try script.node.resolution(of: NodeScript.circuit(0)) }
        script.node.settings.storesFinalResolutions = true
        #expect(throws: NodeRefusal.htlcUnknown) { try script.node.resolution(of: NodeScript.circuit(0)) }
    }
}
