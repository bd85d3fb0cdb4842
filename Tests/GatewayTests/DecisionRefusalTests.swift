@testable import Gateway
import Payments
import Testing
import Wire

@Suite struct DecisionRefusalTests {
    @Test("a decision that was followed is no refusal")
    func done() { #expect(DecisionRefusal(.done) == nil) }

    @Test("each reply of the machine reads as one problem", arguments: [
        (.unknownInvoice, 404), (.notAccepted, 409), (.otherSet, 409), (.tooLate, 409), (.nodeAway, 503),
    ] as [(Reply, Int)])
    func status(_ reply: Reply, _ status: Int) { #expect(DecisionRefusal(reply)?.problem.status == status) }

    @Test("no two refusals have the same code")
    func codes() {
        let all: [DecisionRefusal] = [.unknownInvoice, .notAccepted, .otherSet, .tooLate, .nodeAway, .unavailable]
        #expect(Set(all.map(\.problem.code)).count == all.count)
    }
}
