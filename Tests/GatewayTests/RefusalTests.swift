import Gateway
import Keys
import Payments
import Testing

/// What is wrong with an HTLC of one of our payments is only noted: the machine may know better.
@Suite struct RefusalTests {
    let invoice = PaidInvoice()
    let screening = PaidInvoice.screening()

    @Test("a fee below the policy's is noted as refused by the routing policy")
    func tooCheap() throws {
        let offer = try #require(screening.judge(invoice.htlc(incomingAmount: 51_004)).offer)
        #expect(offer.refusal == .routingRefused)
        #expect(offer.preimage == invoice.issued.preimage)
    }

    @Test("too few blocks for the virtual channel are noted as refused by the routing policy")
    func tooFewBlocks() {
        #expect(screening.judge(invoice.htlc(incomingExpiry: PaidInvoice.expiry + 79)).offer?.refusal == .routingRefused)
        #expect(screening.judge(invoice.htlc(incomingExpiry: PaidInvoice.expiry - 1)).offer?.refusal == .routingRefused)
    }

    @Test("without a fee in the policy nothing has to be paid for the virtual channel, but nothing may be missing either")
    func freePolicy() {
        let free = PaidInvoice.screening(.init(cltvDelta: 0))
        #expect(free.judge(invoice.htlc(incomingAmount: 50_000, incomingExpiry: PaidInvoice.expiry)).offer?.refusal == nil)
        #expect(free.judge(invoice.htlc(incomingAmount: 49_999, incomingExpiry: PaidInvoice.expiry)).offer?.refusal == .routingRefused)
    }

    @Test("an amount below the onion's is noted")
    func amountBelowOnion() {
        #expect(screening.judge(invoice.htlc(outgoingAmount: 49_999)).offer?.refusal == .amountBelowOnion)
    }

    @Test("an expiry below the onion's is noted with the HTLC's own expiry")
    func expiryBelowOnion() {
        #expect(screening.judge(invoice.htlc(outgoingExpiry: 900_099)).offer?.refusal == .expiryBelowOnion(900_099))
    }

    @Test("the routing policy is looked at first, then the amount, then the expiry")
    func order() {
        #expect(screening.judge(invoice.htlc(incomingAmount: 0, outgoingAmount: 49_999, outgoingExpiry: 1)).offer?.refusal == .routingRefused)
        #expect(screening.judge(invoice.htlc(outgoingAmount: 49_999, outgoingExpiry: 1)).offer?.refusal == .amountBelowOnion)
    }

    @Test("the largest numbers are judged, not trapped on")
    func extremes() {
        let dear = PaidInvoice.screening(.init(cltvDelta: .max, feeBase: Millisatoshis(.max), feePPM: .max))
        for amount in [0, 1, UInt64.max] {
            for expiry in [0, 1, UInt32.max] {
                let htlc = invoice.htlc(incomingAmount: amount, incomingExpiry: expiry, outgoingAmount: .max, outgoingExpiry: .max, autoFailHeight: .min)
                #expect(dear.judge(htlc).offer?.refusal == .routingRefused)
                #expect(screening.judge(htlc).offer != nil)
            }
        }
    }
}
