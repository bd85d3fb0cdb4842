import Ledger
import Loop
import Payments
import Testing

@Suite("The books")
@LoopActor
struct BookingTests {
    private func settle(_ ledger: Ledger, _ payment: Payment, at milliseconds: Int64) async {
        var entries = [payment.create, payment.accept(settling: true)]
        for part in payment.parts.indices { entries.append(payment.resolve(part, concludes: part == payment.parts.count - 1 ? .settled : nil)) }
        for index in entries.indices { entries[index].change.time = UnixTime(milliseconds: milliseconds) }
        for entry in entries { #expect(await ledger.commit(entry).isApplied) }
    }

    @Test("have each payment once with what its parts brought and left, in order of its end")
    func payments() async throws {
        try await withLedger { (ledger, _) async throws in
            for number in 0..<5 {
                var payment = Payment(number)
                payment.parts[0].fee = Millisatoshis(UInt64(number))
                await settle(ledger, payment, at: 10_000 - Int64(number / 2) * 1_000)
            }
            _ = await ledger.commit([Payment(7).create, Payment(8).accept()])
            var search = BookingSearch(account: 1, from: UnixTime(milliseconds: 0), until: UnixTime(milliseconds: 10_001), limit: 2)
            var found: [Booking] = []
            repeat {
                let page = try await ledger.bookings(search)
                found += page.bookings
                search.after = page.next
            } while search.after != nil
            #expect(found.map(\.paymentHash) == [4, 2, 3, 0, 1].map { Payment($0).hash })
            #expect(found.map(\.fee) == [4, 2, 3, 0, 1].map { Millisatoshis($0) })
            #expect(found.allSatisfy { $0.amount == Millisatoshis(2_000) && $0.asked == Millisatoshis(2_000) && $0.state == .settled })
            search = BookingSearch(account: 1, from: UnixTime(milliseconds: 8_000), until: UnixTime(milliseconds: 9_000), limit: 9)
            #expect(try await ledger.bookings(search).bookings.map(\.paymentHash) == [Payment(4).hash])
            search.account = 2
            #expect(try await ledger.bookings(search).bookings.isEmpty)
        }
    }

    @Test("have of a payment that failed at last what was received all the same, and nothing of one that brought nothing")
    func torn() async throws {
        try await withLedger { (ledger, _) async throws in
            let torn = Payment(1), lost = Payment(2)
            for entry in [
                torn.accept(settling: true), torn.resolve(0), torn.resolve(1, settled: false, concludes: .failed),
                lost.accept(settling: true), lost.resolve(0, settled: false), lost.resolve(1, settled: false, concludes: .failed),
            ] { #expect(await ledger.commit(entry).isApplied) }
            let page = try await ledger.bookings(.init(account: 1, from: now, until: now.advanced(byMilliseconds: 1), limit: 9))
            #expect(page.bookings.map(\.paymentHash) == [torn.hash])
            #expect(page.bookings.first?.state == .failed && page.bookings.first?.amount == Millisatoshis(1_000))
        }
    }
}
