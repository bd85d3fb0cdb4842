import Ledger
import Loop
import Payments
import Testing

@Suite("A search")
@LoopActor
struct SearchTests {
    private func entry(_ number: Int, at second: Int64 = 0, terms: [Int64] = [], account: Int64 = 1) -> CommitEntry {
        var entry = Payment(number).create
        entry.change.time = now.advanced(byMilliseconds: second * 1000)
        entry.account = account
        if case .create(var record) = entry.change.step {
            record.account = account
            entry.change.step = .create(record)
        }
        entry.searchTerms = terms
        return entry
    }

    private func all(_ ledger: Ledger, _ search: InvoiceSearch) async throws -> [PaymentHash] {
        var search = search
        var found: [PaymentHash] = []
        repeat {
            let page = try await ledger.invoices(search)
            found += page.invoices.map(\.paymentHash)
            search.after = page.next
        } while search.after != nil
        return found
    }

    @Test("of all gives every invoice once, newest first, whatever is created meanwhile")
    func pages() async throws {
        try await withLedger { (ledger, _) async throws in
            _ = await ledger.commit((0..<25).map { entry($0, at: Int64($0 / 4)) })
            var search = InvoiceSearch(account: 1, limit: 10)
            var found: [PaymentHash] = []
            repeat {
                let page = try await ledger.invoices(search)
                found += page.invoices.map(\.paymentHash)
                search.after = page.next
                _ = await ledger.commit(entry(100 + found.count, at: 60))
            } while search.after != nil
            #expect(found == (0..<25).reversed().map { Payment($0).hash })
            #expect(try await ledger.invoices(.init(account: 2, limit: 10)) == InvoicePage(invoices: [], next: nil))
        }
    }

    @Test("by state and by time of creation gives those alone, the first moment with them and the last without")
    func filters() async throws {
        try await withLedger { (ledger, _) async throws in
            _ = await ledger.commit((0..<10).map { entry($0, at: Int64($0)) })
            _ = await ledger.commit(Payment(3).cancel(nil))
            #expect(try await all(ledger, .init(account: 1, state: .canceled, limit: 1)) == [Payment(3).hash])
            #expect(try await all(ledger, .init(account: 1, state: .open, limit: 2)).count == 9)
            let from = now.advanced(byMilliseconds: 2000)
            let until = now.advanced(byMilliseconds: 5000)
            let search = InvoiceSearch(account: 1, createdAfter: from, createdBefore: until, limit: 1)
            #expect(try await all(ledger, search) == [4, 3, 2].map { Payment($0).hash })
            #expect(try await all(ledger, .init(account: 1, state: .open, createdBefore: until, limit: 2)) == [4, 2, 1, 0].map { Payment($0).hash })
        }
    }

    @Test("by terms gives those that have all of them, of the account alone")
    func terms() async throws {
        try await withLedger { (ledger, _) async throws in
            _ = await ledger.commit((0..<12).map { entry($0, at: Int64($0), terms: [7, Int64($0 % 3)]) })
            _ = await ledger.commit([entry(20, terms: [7, 7]), entry(21, terms: [7], account: 2)])
            _ = await ledger.commit(Payment(4).cancel(nil))
            #expect(try await all(ledger, .init(account: 1, terms: [7], limit: 5)).count == 13)
            #expect(try await all(ledger, .init(account: 1, terms: [7, 1], limit: 1)) == [10, 7, 4, 1].map { Payment($0).hash })
            #expect(try await all(ledger, .init(account: 1, state: .canceled, terms: [1, 7], limit: 9)) == [Payment(4).hash])
            #expect(try await all(ledger, .init(account: 2, terms: [7], limit: 9)) == [Payment(21).hash])
            #expect(try await all(ledger, .init(account: 1, terms: [8], limit: 9)).isEmpty)
            // A repeated creation writes them once.
            #expect(await ledger.commit(entry(3, at: 3, terms: [7, 0])) == .repeated)
            #expect(try await all(ledger, .init(account: 1, terms: [7, 0], limit: 9)).count == 4)
        }
    }

    @Test("that hardly anything fits looks at no more than it may, and says where to go on")
    func budget() async throws {
        try await withLedger { (ledger, _) async throws in
            for start in stride(from: 0, to: 1500, by: 500) { _ = await ledger.commit((start..<start + 500).map { entry($0, at: Int64($0), terms: [7]) }) }
            _ = await ledger.commit(Payment(2).cancel(nil))
            let search = InvoiceSearch(account: 1, state: .canceled, terms: [7], limit: 10)
            let page = try await ledger.invoices(search)
            #expect(page.invoices.isEmpty && page.next != nil)
            #expect(try await all(ledger, search) == [Payment(2).hash])
        }
    }

    @Test("goes on from a cursor's text as from the cursor")
    func cursor() {
        let cursor = PageCursor(time: now, number: 42)
        #expect(PageCursor(cursor.text) == cursor)
        for text in ["", "1", "1.", ".1", "1.2.3", "-1.2", "1.+2", "a.b", "99999999999999999999.1"] { #expect(PageCursor(text) == nil, "\(text)") }
    }
}
