import Payments
import Testing

@Suite("Admission to a set")
struct AdmissionTests {
    @Test("refuses what BOLT 4 says to refuse", arguments: [
        (offer(amount: 0, total: 1000), Rejection.noAmount),
        (offer(amount: 1000, total: 0), .noAmount),
        (offer(amount: 999, total: 999), .underpaid),
        (offer(amount: 2001, total: 2001), .overpaid),
        (offer(outgoingExpiry: 1079), .expiryRefused),
        (offer(incomingExpiry: 1000 + 2016 + 145), .expiryRefused),
        (offer(autoFailHeight: 1003), .expiryRefused),
        (offer(autoFailHeight: -5), .expiryRefused),
    ])
    func refusals(offer: Offer, rejection: Rejection) {
        var machine = machine()
        #expect(machine.offered(offer, at: seconds(1)).failed.isEmpty)
        #expect(machine.found(hash(1), nil, at: seconds(1)).rejections == [rejection])
        #expect(machine.liveCount == 0)
    }

    @Test("accepts up to twice the amount, and any amount when the invoice has none", arguments: [
        offer(amount: 2000, total: 2000), offer(amount: 1500, total: 1200), offer(amount: 1, total: 1, invoice: nil),
    ])
    func overpayment(offer: Offer) {
        var machine = machine()
        #expect(machine.offered(offer, at: seconds(1)).changes.count == 1)
    }

    @Test("an expired invoice is refused; the second of its expiry is not past it")
    func expiry() {
        var machine = machine()
        #expect(machine.offered(offer(), at: seconds(3600)).changes.count == 1)
        _ = machine.offered(offer(2), at: seconds(3601))
        #expect(machine.found(hash(2), nil, at: seconds(3601)).rejections == [.late])
    }

    @Test("parts that disagree about the total fail the set")
    func totals() {
        var machine = machine()
        _ = machine.offered(offer(on: 1, amount: 400), at: seconds(1))
        _ = machine.found(hash(1), nil, at: seconds(1))
        let orders = machine.offered(offer(on: 2, amount: 400, total: 1100), at: seconds(2))
        #expect(Set(orders.failed) == [circuit(1, 0), circuit(2, 0)])
    }

    @Test("a set has at most as many parts as the policy says")
    func parts() {
        var machine = machine(policy: PaymentPolicy(maximumParts: 2))
        for htlcID in 0..<2 { _ = machine.offered(offer(htlcID: UInt64(htlcID), amount: 1), at: seconds(1)) }
        _ = machine.found(hash(1), nil, at: seconds(1))
        #expect(machine.offered(offer(htlcID: 2, amount: 1), at: seconds(1)).rejections == [.setFull])
    }

    @Test("one millisatoshi less than the total completes nothing")
    func underpayment() {
        var machine = machine()
        #expect(machine.offered(offer(amount: 999), at: seconds(1)).changes.isEmpty)
    }

    @Test("the largest numbers there are do not trap")
    func extremes() {
        for value: UInt64 in [.max, .max - 1, 1 << 63] {
            var machine = machine(height: .max)
            _ = machine.offered(offer(amount: value, total: value, invoice: value, outgoingExpiry: .max, incomingExpiry: .max, autoFailHeight: .max), at: seconds(1))
            _ = machine.offered(offer(htlcID: 1, amount: value, total: value, invoice: nil, outgoingExpiry: 0, incomingExpiry: 0, autoFailHeight: .min), at: UnixTime(milliseconds: .max))
        }
    }
}
