import Payments
import Testing

@Suite("A payout")
struct PayoutMachineTests {
    @Test("is sent only after the attempt is durable, and to the node that it names")
    func writeAhead() {
        var machine = payoutMachine()
        #expect(machine.takenUp(at: seconds(0)) == [.choose(excluding: [])])
        let orders = machine.chose(node(1), mayChange: true, at: seconds(0))
        #expect(orders.sends.isEmpty)
        #expect(orders.change?.step == .send(node(1)))
        #expect(machine.stored(orders.change!, elapsed: 1, at: seconds(0)) == [.send(node(1), attempt: 1)])
    }

    @Test("is not sent when its commit took so long that somebody else may lead")
    func lateCommit() {
        var machine = payoutMachine()
        _ = machine.takenUp(at: seconds(0))
        let change = machine.chose(node(1), mayChange: true, at: seconds(0)).change!
        let orders = machine.stored(change, elapsed: PayoutPolicy().sendWindow + 1, at: seconds(0))
        #expect(orders.sends.isEmpty)
        #expect(orders.change?.step == .retry(.notStarted))
    }

    @Test("is not sent when the store refuses the attempt")
    func refusedAttempt() {
        var machine = payoutMachine()
        _ = machine.takenUp(at: seconds(0))
        let change = machine.chose(node(1), mayChange: true, at: seconds(0)).change!
        #expect(machine.refused(change) == [.reload])
    }

    @Test("a stream that breaks leads to the question what became of it, never to another send")
    func brokenStream() {
        var machine = sentPayout()
        let orders = machine.ended(1, .lost, at: seconds(1))
        #expect(orders.follows == [node(1)] && orders.sends.isEmpty)
        #expect(orders.change?.step == .doubt)
    }

    @Test("a refusal to begin is not believed of a node that has told of the payment")
    func begunAfterAll() {
        var machine = sentPayout()
        #expect(machine.answered(1, .inFlight, at: seconds(1)).isEmpty)
        let orders = machine.ended(1, .notBegun(.noRoute), at: seconds(2))
        #expect(orders.follows == [node(1)] && orders.change?.step == .doubt)
    }

    @Test("a payment that exists already is followed")
    func existing() {
        var machine = sentPayout()
        let orders = machine.ended(1, .exists, at: seconds(1))
        #expect(orders.follows == [node(1)] && orders.sends.isEmpty)
        // What it knew before it refused cannot be this payment on its way.
        let change = machine.stored(orders.change!, elapsed: 0, at: seconds(1))
        #expect(change.isEmpty)
        #expect(machine.answered(1, .failed(.noRoute), at: seconds(2)).change?.step == .retry(.noRoute))
    }

    @Test("silence beyond the time-out is told, and the answer that comes then settles it")
    func lateAnswer() {
        var machine = sentPayout()
        #expect(machine.timeReached(seconds(64)).isEmpty)
        let doubt = machine.timeReached(seconds(65)).change!
        #expect(doubt.step == .doubt)
        #expect(machine.stored(doubt, elapsed: 0, at: seconds(65)).isEmpty)
        let orders = machine.answered(1, .settled(preimage(1), fee: Millisatoshis(3)), at: seconds(100))
        #expect(orders.change?.step == .settle(preimage(1), fee: Millisatoshis(3)))
        _ = machine.stored(orders.change!, elapsed: 0, at: seconds(100))
        #expect(machine.isOver && machine.payout.state == .settled && machine.payout.fee == Millisatoshis(3))
    }

    @Test("an answer that overtakes the commit of a doubt is kept")
    func answerDuringCommit() {
        var machine = sentPayout()
        let doubt = machine.ended(1, .lost, at: seconds(1)).change!
        #expect(machine.answered(1, .settled(preimage(1), fee: .zero), at: seconds(1)).isEmpty)
        #expect(machine.stored(doubt, elapsed: 0, at: seconds(1)).change?.step == .settle(preimage(1), fee: .zero))
    }

    @Test("that the node knows nothing is believed only when the question to pay cannot arrive any more")
    func notFound() {
        var machine = sentPayout()
        let doubt = machine.ended(1, .lost, at: seconds(1)).change!
        _ = machine.stored(doubt, elapsed: 0, at: seconds(1))
        #expect(machine.ended(1, .notFound, at: seconds(2)).isEmpty)
        #expect(machine.timeReached(seconds(3)).follows == [node(1)])
        #expect(machine.ended(1, .notFound, at: seconds(90)).isEmpty)
        #expect(machine.timeReached(seconds(93)).follows == [node(1)])
        let orders = machine.ended(1, .notFound, at: seconds(93))
        #expect(orders.change?.step == .fail(.notStarted), "its time is over")
    }

    @Test("a failure that may be of an earlier payment is not believed either")
    func oldFailure() {
        var machine = payoutMachine(Payout(intent: payoutIntent(), state: .unknown, attempt: 1, node: node(1)))
        #expect(machine.takenUp(at: seconds(0)).follows == [node(1)])
        #expect(machine.answered(1, .failed(.noRoute), at: seconds(1)).isEmpty)
        #expect(machine.ended(1, .lost, at: seconds(1)).isEmpty)
        #expect(machine.timeReached(seconds(91)).follows == [node(1)])
        #expect(machine.answered(1, .failed(.noRoute), at: seconds(91)).change?.step == .fail(.noRoute))
    }

    @Test("what was known to the node and is not any more stays unknown")
    func forgotten() {
        var machine = sentPayout()
        #expect(machine.answered(1, .inFlight, at: seconds(1)).isEmpty)
        let doubt = machine.ended(1, .lost, at: seconds(1)).change!
        _ = machine.stored(doubt, elapsed: 0, at: seconds(1))
        _ = machine.ended(1, .notFound, at: seconds(1000))
        #expect(machine.payout.state == .unknown)
        #expect(machine.timeReached(seconds(2000)).follows == [node(1)])
    }

    @Test("a definite failure lets another node be tried, not the same one")
    func retry() {
        var machine = sentPayout()
        let retry = machine.answered(1, .failed(.noRoute), at: seconds(1)).change!
        #expect(retry.step == .retry(.noRoute))
        #expect(machine.stored(retry, elapsed: 0, at: seconds(1)) == [.choose(excluding: [node(1)])])
        let change = machine.chose(node(2), mayChange: true, at: seconds(1)).change!
        #expect(change.attempt == 2)
        #expect(machine.stored(change, elapsed: 0, at: seconds(1)) == [.send(node(2), attempt: 2)])
        // The first node has nothing to say any more.
        #expect(machine.answered(1, .settled(preimage(1), fee: .zero), at: seconds(2)).isEmpty)
    }

    @Test("what the payee refuses is over", arguments: [PayoutFailure.incorrectDetails, .invoiceExpired])
    func final(failure: PayoutFailure) {
        var machine = sentPayout()
        #expect(machine.answered(1, .failed(failure), at: seconds(1)).change?.step == .fail(failure))
    }

    @Test("with a node named by the caller no other is tried")
    func onlyNode() {
        var machine = sentPayout(payoutIntent(onlyNode: node(1)))
        #expect(machine.answered(1, .failed(.noRoute), at: seconds(1)).change?.step == .fail(.noRoute))
    }

    @Test("after a restart it asks the node that was named, and sends nothing", arguments: [PayoutState.sending, .unknown])
    func restart(state: PayoutState) {
        var machine = payoutMachine(Payout(intent: payoutIntent(), state: state, attempt: 2, node: node(2), tried: [node(1)]))
        let orders = machine.takenUp(at: seconds(0))
        #expect(orders.follows == [node(2)] && orders.sends.isEmpty)
        #expect(orders.change?.step == (state == .sending ? .doubt : nil))
    }

    @Test("without a node it waits for one, and fails when its time is over")
    func noNode() {
        var machine = payoutMachine()
        _ = machine.takenUp(at: seconds(0))
        #expect(machine.chose(nil, mayChange: true, at: seconds(0)).isEmpty)
        #expect(machine.timeReached(seconds(1)) == [.choose(excluding: [])])
        #expect(machine.chose(nil, mayChange: true, at: seconds(60)).change?.step == .fail(.noNode))
    }

    @Test("an expired invoice is not paid")
    func expired() {
        var machine = payoutMachine(Payout(intent: payoutIntent(expiresAt: seconds(5))))
        _ = machine.takenUp(at: seconds(5))
        #expect(machine.chose(node(1), mayChange: true, at: seconds(5)).change?.step == .fail(.invoiceExpired))
    }

    @Test("a fee above the limit is told")
    func feeBeyondLimit() {
        let payout = Payout(intent: payoutIntent(feeLimit: 10), state: .settled, attempt: 1, node: node(1), fee: Millisatoshis(13))
        #expect(payout.feeBeyondLimit == Millisatoshis(3))
    }
}
