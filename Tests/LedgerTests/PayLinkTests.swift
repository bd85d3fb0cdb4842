import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("Pay links")
@LoopActor
struct PayLinkTests {
    private func link(_ number: Int, name: String? = nil, account: Int64 = 1) -> PayLinkRecord {
        var link = PayLinkRecord(id: "pl_\(number)", account: account, createdAt: UnixTime(seconds: 1))
        link.name = name
        link.host = name.map { _ in "a.example" }
        link.description = "Tea"
        link.shown = "[]"
        link.minimum = Millisatoshis(1000)
        link.maximum = Millisatoshis(.max)
        return link
    }

    private func insert(_ link: PayLinkRecord, into ledger: Ledger, limit: Int64 = 10) async throws -> PayLinkRecord? {
        try await withCheckedContinuation { done in ledger.insertPayLink(link, limit: limit) { done.resume(returning: $0) } }.get()
    }

    private func changed(after version: Int64, in ledger: Ledger) async throws -> [PayLinkRecord] {
        try await withCheckedContinuation { done in ledger.payLinks(changedAfter: version) { done.resume(returning: $0) } }.get()
    }

    @Test("are read as they were written, and once for one id")
    func written() async throws {
        try await withLedger { (ledger, _) async throws in
            var wanted = link(1, name: "till")
            wanted.longDescription = "Green ☕"
            wanted.commentAllowed = 9
            wanted.successAction = "{}"
            wanted.payerData = "{}"
            wanted.isDisposable = true
            wanted.metadata = "{}"
            wanted.orderID = "A7"
            wanted.paymentHash = PaymentHash(Bytes32(filledBy: { $0[3] = 4 }))
            wanted.expiresAt = UnixTime(seconds: 9)
            let stored = try #require(try await insert(wanted, into: ledger))
            wanted.number = stored.number
            wanted.version = stored.version
            #expect(stored == wanted)
            #expect(try await insert(wanted, into: ledger)?.number == stored.number)
        }
    }

    @Test("one name of a host is one link's, until that is deleted")
    func names() async throws {
        try await withLedger { (ledger, _) async throws in
            #expect(try await insert(link(1, name: "till"), into: ledger) != nil)
            #expect(try await insert(link(2, name: "till"), into: ledger) == nil)
            let gone = await withCheckedContinuation { done in ledger.deletePayLink("pl_1", account: 1) { done.resume(returning: $0) } }
            #expect(try gone.get()?.isDeleted == true)
            #expect(try await insert(link(2, name: "till"), into: ledger) != nil)
        }
    }

    @Test("are no more than the account may have, and another account's are not seen")
    func owners() async throws {
        try await withLedger { (ledger, _) async throws in
            #expect(try await insert(link(1), into: ledger, limit: 1) != nil)
            #expect(try await insert(link(2), into: ledger, limit: 1) == nil)
            let other = await withCheckedContinuation { done in ledger.payLink("pl_1", account: 2) { done.resume(returning: $0) } }
            #expect(try other.get() == nil)
            var altered = link(1)
            altered.account = 2
            let result = await withCheckedContinuation { done in ledger.updatePayLink(altered) { done.resume(returning: $0) } }
            #expect(try result.get() == nil)
        }
    }

    @Test("who knows a version is told what changed after it, deletions too, in order")
    func versions() async throws {
        try await withLedger { (ledger, _) async throws in
            for number in 1...3 { _ = try await insert(link(number), into: ledger) }
            let all = try await changed(after: 0, in: ledger)
            #expect(all.map(\.id) == ["pl_1", "pl_2", "pl_3"])
            _ = await withCheckedContinuation { done in ledger.deletePayLink("pl_1", account: 1) { done.resume(returning: $0) } }
            let later = try await changed(after: all[2].version, in: ledger)
            #expect(later.map(\.id) == ["pl_1"] && later.first?.isDeleted == true)
            #expect(try await changed(after: 0, in: ledger).map(\.id) == ["pl_2", "pl_3"])
        }
    }

    @Test("an order is taken once its invoice has been accepted, and not any more when that was given back; it is paid once that has settled")
    func orders() async throws {
        try await withLedger { (ledger, _) async throws in
            var order = link(1)
            order.paymentHash = Payment(1).hash
            _ = try await insert(order, into: ledger)
            func state() async throws -> [Bool?] {
                let found = try await changed(after: 0, in: ledger).first
                return [found?.isTaken, found?.isPaid]
            }
            #expect(try await state() == [false, false])
            _ = await ledger.commit([Payment(1).accept()])
            #expect(try await state() == [true, false])
            _ = await ledger.commit([Payment(1).release])
            #expect(try await state() == [false, false])
            var other = link(2)
            other.paymentHash = Payment(2).hash
            _ = try await insert(other, into: ledger)
            _ = await ledger.commit([Payment(2).accept(settling: true), Payment(2).resolve(0), Payment(2).resolve(1, concludes: .settled)])
            let paid = try await changed(after: 0, in: ledger).first { $0.id == other.id }
            #expect(paid?.isTaken == true && paid?.isPaid == true)
        }
    }
}
