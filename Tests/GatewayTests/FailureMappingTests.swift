import Bolt
@testable import Gateway
import LND
import Payments
import Testing

@Suite struct FailureMappingTests {
    private func message(_ rejection: Rejection) -> FailureMessage? {
        FailureMessage(rejection, amount: Millisatoshis(7), height: 9)
    }

    @Test("a prober cannot tell why a payment is not taken", arguments: [
        Rejection.notPayable, .late, .noAmount, .underpaid, .overpaid, .totalMismatch, .expiryRefused, .setFull, .released,
    ])
    func unknown(_ rejection: Rejection) {
        #expect(message(rejection) == .incorrectOrUnknownPaymentDetails(amount: Millisatoshis(7), height: 9))
    }

    @Test("a set that did not come together is told as mpp_timeout")
    func timedOut() { #expect(message(.timedOut) == .mppTimeout) }

    @Test("an overloaded node is told as a temporary failure, so that the payer tries again")
    func overloaded() { #expect(message(.overloaded) == .temporaryNodeFailure) }

    @Test("an HTLC below its onion is told with what it really carried")
    func belowOnion() {
        #expect(message(.amountBelowOnion) == .finalIncorrectHTLCAmount(Millisatoshis(7)))
        #expect(message(.expiryBelowOnion(5)) == .finalIncorrectCLTVExpiry(5))
    }

    @Test("what the virtual channel refuses is not the virtual node's to tell")
    func routingRefused() { #expect(message(.routingRefused) == nil) }

    @Test("a failure of an unopened onion is the node's to tell; that of an opened one is the virtual node's")
    func badOnion() {
        #expect(Onion.Failure.version.badOnion == .version)
        #expect(Onion.Failure.hmac.badOnion == .hmac)
        #expect(Onion.Failure.key.badOnion == .key)
        #expect(Onion.Failure.payload.badOnion == nil)
    }
}
