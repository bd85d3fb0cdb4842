import Testing

@testable import Fanout

@Suite struct OutboxTests {
    @Test("keeps frames in order up to its limit and says when one does not fit")
    func limit() {
        var outbox = Outbox()
        #expect(outbox.isEmpty)
        #expect(outbox.append([1, 2, 3], limit: 5) == .kept)
        #expect(outbox.append([4, 5], limit: 5) == .kept)
        #expect(outbox.append([6], limit: 5) == .overflow)
        #expect(outbox.count == 5)
        #expect(outbox.take() == [1, 2, 3, 4, 5])
        #expect(outbox.isEmpty && outbox.take() == [])
    }
}
