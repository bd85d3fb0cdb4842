import Gateway
import Payments
import Testing

@Suite struct EventFilterTests {
    private static let hash = PaymentHash(Bytes32(repeatElement(1, count: 32))!)
    private let event = PublishedEvent(
        offset: 1, id: "evt_1", type: .invoiceSettled, account: 3, paymentHash: hash, time: UnixTime(seconds: 1), data: "{}")

    @Test("an empty filter admits everything")
    func all() { #expect(EventFilter().admits(event)) }

    @Test("another account's events are not seen")
    func account() {
        #expect(EventFilter(account: 3).admits(event))
        #expect(!EventFilter(account: 4).admits(event))
    }

    @Test("only the types that are named are seen")
    func types() {
        #expect(EventFilter(types: [.invoiceCreated, .invoiceSettled]).admits(event))
        #expect(!EventFilter(types: [.invoiceCreated]).admits(event))
    }

    @Test("a filter by payment does not admit other payments, nor what concerns none")
    func payment() {
        #expect(EventFilter(paymentHash: Self.hash).admits(event))
        var other = event
        other.paymentHash = PaymentHash(Bytes32())
        #expect(!EventFilter(paymentHash: Self.hash).admits(other))
        other.paymentHash = nil
        #expect(!EventFilter(paymentHash: Self.hash).admits(other))
    }

    @Test("what is asked for has to hold together")
    func together() {
        #expect(EventFilter(account: 3, types: [.invoiceSettled], paymentHash: Self.hash).admits(event))
        #expect(!EventFilter(account: 3, types: [.invoiceCreated], paymentHash: Self.hash).admits(event))
        #expect(!EventFilter(account: 4, types: [.invoiceSettled], paymentHash: Self.hash).admits(event))
    }
}
