import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("Reads")
@LoopActor
struct ReadTests {
    @Test("of an invoice whose state is not known here fail, rather than take it for another")
    func unknownState() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = await ledger.commit([Payment(1).create])
            TestServer.sql("ALTER TYPE invoice_state ADD VALUE 'melted'", in: dsn)
            TestServer.sql("UPDATE invoices SET state = 'melted'", in: dsn)
            await #expect(throws: LedgerError.unknownState) { try await ledger.invoice(Payment(1).hash) }
            await #expect(throws: LedgerError.unknownState) { try await ledger.invoices(.init(account: 1, limit: 10)) }
        }
    }

    @Test("of requested settlements and of the books do the same")
    func unknownStateOfSettlements() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let payment = Payment(1, parts: 1)
            _ = await ledger.commit([payment.accept(settling: true)])
            _ = await ledger.commit([payment.resolve(0, concludes: .settled)])
            #expect(try await ledger.settlements().count == 1)
            let search = BookingSearch(account: 1, from: UnixTime(milliseconds: 0), until: UnixTime(milliseconds: .max), limit: 10)
            #expect(try await ledger.bookings(search).bookings.count == 1)
            TestServer.sql("ALTER TYPE invoice_state ADD VALUE 'melted'", in: dsn)
            TestServer.sql("UPDATE invoices SET state = 'melted'", in: dsn)
            await #expect(throws: LedgerError.unknownState) { try await ledger.settlements() }
            await #expect(throws: LedgerError.unknownState) { try await ledger.bookings(search) }
        }
    }

    @Test("of an invoice whose settlement is not known here fail")
    func unknownSettlement() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = await ledger.commit([Payment(1).create])
            TestServer.sql("UPDATE invoices SET settlement = 2", in: dsn)
            await #expect(throws: LedgerError.unavailable("an invoice has the unknown settlement 2")) { try await ledger.invoice(Payment(1).hash) }
        }
    }

    @Test("of what a decision needs wait until it can be read, and let the others go on")
    func unreadableLookup() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = await ledger.commit([Payment(1).accept(settling: true), Payment(2).accept()])
            TestServer.sql("ALTER TYPE invoice_state ADD VALUE 'melted'", in: dsn)
            TestServer.sql("UPDATE invoices SET state = 'melted' WHERE state = 'settle_requested'", in: dsn)
            var melted: [StoredSet]?
            ledger.lookup([Payment(1).hash]) { melted = $0 }
            #expect(await ledger.lookup([Payment(2).hash]).map(\.state) == [.accepted])
            #expect(melted == nil)
            TestServer.sql("UPDATE invoices SET state = 'settle_requested' WHERE state = 'melted'", in: dsn)
            for _ in 0..<500 where melted == nil { try await Task.sleep(for: .milliseconds(20)) }
            #expect(melted?.map(\.state) == [.settleRequested])
        }
    }

    @Test("of what an unreadable invoice refuses say neither that it is stored nor that it is not")
    func unreadableRefusal() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = await ledger.commit([Payment(1).accept(settling: true)])
            TestServer.sql("ALTER TYPE invoice_state ADD VALUE 'melted'", in: dsn)
            TestServer.sql("UPDATE invoices SET state = 'melted'", in: dsn)
            #expect(await ledger.commit(Payment(1).accept()) == .withdrawn(mayBeStored: true))
        }
    }

    @Test("of open invoices past their expiry leave out all others")
    func expired() async throws {
        try await withLedger { (ledger, _) async throws in
            _ = await ledger.commit([Payment(1).create, Payment(2).create, Payment(3).create, Payment(2).accept()])
            #expect(try await ledger.expired(before: UnixTime(milliseconds: 4_000), limit: 10).isEmpty)
            #expect(Set(try await ledger.expired(before: UnixTime(milliseconds: 6_000), limit: 10)) == [Payment(1).hash, Payment(3).hash])
            #expect(try await ledger.expired(before: UnixTime(milliseconds: 6_000), limit: 1).count == 1)
            _ = await ledger.commit(Payment(1).expire)
            #expect(try await ledger.expired(before: UnixTime(milliseconds: 6_000), limit: 10) == [Payment(3).hash])
        }
    }

    @Test("of lookups in one turn each get their own")
    func lookups() async throws {
        try await withLedger { (ledger, _) async throws in
            _ = await ledger.commit([Payment(1).accept(), Payment(2).create, Payment(3).accept(settling: true)])
            async let first = ledger.lookup([Payment(1).hash, Payment(9).hash])
            async let second = ledger.lookup([Payment(2).hash, Payment(1).hash])
            async let none = ledger.lookup([])
            #expect(await first.map(\.state) == [.accepted])
            #expect(await second.map(\.state) == [.open, .accepted])
            #expect(await none.isEmpty)
            #expect(Set(await ledger.unresolved().map(\.paymentHash)) == [Payment(1).hash, Payment(3).hash])
        }
    }

    @Test("of events filter by account, type and invoice")
    func events() async throws {
        try await withLedger { (ledger, _) async throws in
            _ = await ledger.commit([Payment(1).create, Payment(1).accept(), Payment(2).create, tell("evt_node")])
            #expect(try await ledger.events(after: 0, types: [.invoiceCreated]).count == 2)
            #expect(try await ledger.events(after: 0, types: []).isEmpty)
            #expect(try await ledger.events(after: 1, paymentHash: Payment(1).hash).count == 3)
            #expect(try await ledger.events(after: 0, limit: 2).map(\.offset) == [1, 2])
            #expect(try await ledger.events(after: .max).isEmpty)
            #expect(try await ledger.events(after: .min, account: 1, types: [.nodeConnected], paymentHash: nil).map(\.id) == ["evt_node"])
        }
    }

    @Test("of events pass on what a newer version has written, under its own type")
    func foreignEvents() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = await ledger.commit([Payment(1).create, Payment(2).create])
            TestServer.sql(
                """
                INSERT INTO events SELECT 3, part, 1, now(), 'evt_new', 'invoice.refunded', NULL, '{}' FROM stream;
                UPDATE stream SET head = 3
                """, in: dsn)
            _ = await ledger.commit(Payment(3).create)
            let page = try await ledger.events(after: 1, limit: 3)
            #expect(page.map(\.offset) == [2, 3, 4])
            #expect(page[1].type == .other("invoice.refunded") && page[1].type.rawValue == "invoice.refunded")
            #expect(try await ledger.events(after: 0, types: [.other("invoice.refunded")]).map(\.id) == ["evt_new"])
            #expect(EventType.allCases.allSatisfy { EventType(rawValue: $0.rawValue) == $0 && $0 != .other($0.rawValue) })
        }
    }

    @Test("give back numbers up to 2^64-1 and texts of any kind")
    func extremes() async throws {
        try await withLedger { (ledger, _) async throws in
            var payment = Payment(1, parts: 1)
            payment.parts[0].circuitKey.chanID = .max
            payment.parts[0].circuitKey.htlcID = .max - 1
            payment.parts[0].amount = Millisatoshis(.max)
            payment.parts[0].incomingExpiry = .max
            payment.parts[0].autoFailHeight = .min
            payment.parts[0].isOnChain = true
            _ = await ledger.commit(payment.accept())
            let stored = try #require(await ledger.lookup([payment.hash]).first)
            #expect(stored.htlcs.map(\.held) == payment.parts)
            #expect(stored.htlcs.first?.resolution == nil)
            #expect(try await ledger.invoice(payment.hash)?.received == Millisatoshis(.max))

            var record = Payment(2).record
            record.description = .hash(bytes(5, 5))
            record.metadata = nil
            record.terms.amount = nil
            record.terms.expiresAt = UnixTime(milliseconds: .max)
            record.createdAt = UnixTime(milliseconds: -1)
            let entry = CommitEntry(change: Change(.create(record), events: [], time: UnixTime(milliseconds: -1)), account: 1, rendered: [])
            #expect(await ledger.commit(entry) == .applied([]))
            record.terms.expiresAt = UnixTime(milliseconds: 253_402_300_799_999)
            #expect(try await ledger.invoice(record.paymentHash) == record)
        }
    }

    @Test("of keys find each by its hash, and what has become of it")
    func keys() async throws {
        try await withLedger { (ledger, _) async throws in
            let key = APIKeyRecord(id: "k1", name: "Shop", hash: bytes(1, 7), scopes: ["invoices:read", "events:read"], account: 1, createdAt: now)
            #expect(try await ledger.insertKey(key) == .made)
            #expect(try await ledger.insertKey(key) == .refused)
            #expect(try await ledger.key(hash: key.hash) == key)
            #expect(try await ledger.key(hash: bytes(2, 7)) == nil)
            var other = key
            (other.id, other.hash, other.account) = ("k2", bytes(3, 7), 99)
            #expect(try await ledger.insertKey(other) == .refused, "there is no such account")
            #expect(try await ledger.revokeKey("k1", account: 2, at: now) == nil)
            #expect(try await ledger.revokeKey("k1", account: 1, at: now)?.revokedAt == now)
            #expect(try await ledger.revokeKey("k1", account: nil, at: now.advanced(byMilliseconds: 5))?.revokedAt == now, "once is for ever")
            #expect(try await ledger.key(hash: key.hash)?.revokedAt == now)
            #expect(try await ledger.rotateKey("k1", account: nil, to: bytes(4, 7), previousUntil: now, at: now) == nil)
        }
    }

    /// Makes every change of a table take three seconds.
    private func slow(_ table: String, in dsn: String) {
        TestServer.sql("""
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3); RETURN NEW; END';
            CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON \(table) FOR EACH ROW EXECUTE FUNCTION slow()
            """, in: dsn)
    }

    @Test("of what a payment, a decision or a caller is judged by wait for no others")
    func judgements() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = await ledger.commit(Payment(1).create)
            slow("attended_accounts", in: dsn)
            var isTold = false
            ledger.tellAttendance([1]) { _ in isTold = true }
            #expect(await ledger.lookup([Payment(1).hash]).count == 1)
            #expect(await ledger.unresolved().isEmpty)
            #expect(try await ledger.invoice(Payment(1).hash) != nil)
            #expect(try await ledger.key(hash: bytes(1, 7)) == nil)
            #expect(try await ledger.drainedNodes().isEmpty)
            #expect(!isTold)
        }
    }

    @Test("wait for nobody's webhooks")
    func webhooks() async throws {
        try await withLedger { (ledger, dsn) async throws in
            slow("webhook_changes", in: dsn)
            var isChanged = false
            ledger.updateWebhook("none", account: 1, WebhookEndpointChange(isEnabled: false)) { _ in isChanged = true }
            #expect(try await ledger.stream().head == 0)
            #expect(try await ledger.claim([]).isEmpty)
            #expect(!isChanged)
        }
    }

    @Test("hear of the new head once per batch")
    func notified() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let other = try await startedLedger(dsn)
            for _ in 0..<5_000 where !other.isListening { try await Task.sleep(for: .milliseconds(2)) }
            var heads: [Int64] = []
            other.onHead = { heads.append($0) }
            _ = await ledger.commit((0..<5).map { Payment($0).create })
            _ = await ledger.commit(Payment(9).create)
            for _ in 0..<5_000 where heads.last != 6 { try await Task.sleep(for: .milliseconds(2)) }
            #expect(heads == [5, 6])
            other.close()
        }
    }
}

extension LedgerError {
    fileprivate static let unknownState = Self.unavailable("an invoice has the unknown state melted")
}
