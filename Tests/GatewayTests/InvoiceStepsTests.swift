@testable import Gateway
import LnmuxProto
import Payments
import Testing

@Suite("The steps of one invoice")
struct InvoiceStepsTests {
    @Test("are told once, although the invoice shows them and the log tells them again")
    func once() {
        var steps = InvoiceSteps()
        #expect(steps.found(.settleRequested) == .step(.stateSettleRequested))
        #expect(steps.happened(.invoiceAccepted) == .nothing)
        #expect(steps.happened(.invoiceSettleRequested) == .nothing)
        #expect(steps.happened(.invoiceSettled) == .step(.stateSettled))
    }

    @Test("begin anew after a release")
    func released() {
        var steps = InvoiceSteps()
        #expect(steps.happened(.invoiceAccepted) == .step(.stateAccepted))
        #expect(steps.happened(.invoiceReleased) == .nothing)
        #expect(steps.happened(.invoiceAccepted) == .step(.stateAccepted))
    }

    @Test("end where it will never be paid")
    func over() {
        var steps = InvoiceSteps()
        #expect(steps.found(.open) == .nothing)
        #expect(steps.happened(.invoiceExpired) == .over("expired"))
        #expect(steps.happened(.invoiceFailed) == .over("failed"))
    }
}
