import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("What is kept of accounts and their keys")
@LoopActor
struct AccountTests {
    private func key(_ id: String, account: Int64 = 1, hash: UInt8 = 1, limits: KeyLimits = KeyLimits()) -> APIKeyRecord {
        APIKeyRecord(
            id: id, name: "Shop", hash: bytes(Int(hash), 7), scopes: ["invoices:read"], account: account, createdAt: now,
            expiresAt: now.advanced(byMilliseconds: 1000), limits: limits)
    }

    @Test("an account that is made twice from the same origin is one, and others are others")
    func accounts() async throws {
        try await withLedger { (ledger, _) async throws in
            let first = try await ledger.insertAccount("Tea", origin: bytes(1, 1), at: now)
            #expect(first?.name == "Tea" && first?.createdAt == now && (first?.id ?? 0) > 1)
            #expect(try await ledger.insertAccount("Tea", origin: bytes(1, 1), at: now) == first)
            let second = try await ledger.insertAccount("Tea", origin: bytes(2, 1), at: now)
            #expect(second?.id != first?.id)
            #expect(try await ledger.accounts().map(\.name) == ["default", "Tea", "Tea"])
            #expect(try await ledger.accounts(only: first?.id) == [first])
            #expect(try await ledger.accounts(after: 1, limit: 1).count == 2, "one more than the limit tells of a next page")
        }
    }

    @Test("a rotated key is found by its secret and the one before, and by no other")
    func rotation() async throws {
        try await withLedger { (ledger, _) async throws in
            let end = now.advanced(byMilliseconds: 500)
            #expect(try await ledger.insertKey(key("k1", limits: KeyLimits(rate: 5, openInvoices: 0))) == .made)
            #expect(try await ledger.key(hash: bytes(1, 7)) == key("k1", limits: KeyLimits(rate: 5, openInvoices: 0)))
            let rotated = try await ledger.rotateKey("k1", account: 1, to: bytes(2, 7), previousUntil: end, at: now)
            #expect(rotated?.generation == 2 && rotated?.previousHash == bytes(1, 7) && rotated?.previousUntil == end)
            #expect(try await ledger.rotateKey("k1", account: 1, to: bytes(2, 7), previousUntil: now, at: now)?.previousUntil == end, "twice is once")
            #expect(try await ledger.key(hash: bytes(1, 7))?.generation == 2)
            #expect(try await ledger.rotateKey("k1", account: 1, to: bytes(3, 7), previousUntil: end, at: now)?.generation == 3)
            #expect(try await ledger.key(hash: bytes(1, 7)) == nil)
            #expect(try await ledger.rotateKey("k1", account: 2, to: bytes(4, 7), previousUntil: end, at: now) == nil, "another account's")
            let late = now.advanced(byMilliseconds: 1000)
            #expect(try await ledger.rotateKey("k1", account: 1, to: bytes(4, 7), previousUntil: end, at: late) == nil, "it has ended")
        }
    }

    @Test("the last use is written at most once a minute")
    func lastUse() async throws {
        try await withLedger { (ledger, _) async throws in
            #expect(try await ledger.insertKey(key("k1")) == .made)
            for (later, kept) in [(0, 0), (30_000, 0), (60_000, 60_000), (10_000, 60_000)] as [(Int64, Int64)] {
                try await ledger.noteUse(["k1": now.advanced(byMilliseconds: later), "gone": now])
                #expect(try await ledger.keys(account: 1).map(\.lastUsedAt) == [now.advanced(byMilliseconds: kept)])
            }
        }
    }

    @Test("the audit log gives the newest first, page by page, each account its own, and holds nothing twice")
    func audit() async throws {
        try await withLedger { (ledger, _) async throws in
            let rows = (0..<5).map { number in
                AuditRecord(
                    id: "0000000000000000000000000000000\(number)", time: now, account: Int64(1 + number % 2), keyID: "k", transport: "http",
                    method: "POST", path: "/v1/invoices", target: number == 0 ? nil : "t", status: 201, requestID: nil)
            }
            try await ledger.appendAudit(rows)
            try await ledger.appendAudit(rows)
            #expect(try await ledger.audit() == rows.reversed())
            #expect(try await ledger.audit(account: 2) == [rows[3], rows[1]])
            #expect(try await ledger.audit(before: rows[3].id, limit: 1) == [rows[2], rows[1]])
        }
    }

    @Test("rows of the audit log are forgotten oldest first, a thousand at a time, and those of the time that is kept stay")
    func forgottenAudit() async throws {
        try await withLedger { (ledger, dsn) async throws in
            TestServer.sql("""
                INSERT INTO audit SELECT lpad(to_hex(n), 12, '0') || repeat('0', 20), now(), 1, 'k', 'http', 'POST', '/', NULL, 200 FROM generate_series(1, 1500) n
                """, in: dsn)
            let end = "0000000005dc" + String(repeating: "0", count: 20)
            #expect(try await ledger.forgetAudit(before: end) == 1000)
            #expect(TestServer.sql("SELECT min(left(id, 12)), count(*) FROM audit", in: dsn) == "0000000003e9|500")
            #expect(try await ledger.forgetAudit(before: end) == 499)
            #expect(try await ledger.audit().map(\.id) == [end])
        }
    }

    @Test("an account has as many valid keys as it may; one that is revoked or over makes room, another account's are its own")
    func keyLimit() async throws {
        try await withLedger { (ledger, dsn) async throws in
            TestServer.sql("INSERT INTO accounts (id, name) VALUES (2, 'other')", in: dsn)
            let made = (0..<6).map { key("k\($0)", hash: UInt8($0)) }
            #expect(try await ledger.insertKey(made[0], limit: 2) == .made)
            #expect(try await ledger.insertKey(made[1], limit: 2) == .made)
            #expect(try await ledger.insertKey(made[2], limit: 2) == .full)
            #expect(try await ledger.insertKey(key("o", account: 2, hash: 99), limit: 1) == .made)
            _ = try await ledger.revokeKey("k0", account: 1, at: now)
            #expect(try await ledger.insertKey(made[2], limit: 2) == .made)
            #expect(try await ledger.insertKey(made[3], limit: 2) == .full)
            var late = made[3]
            late.createdAt = now.advanced(byMilliseconds: 2000)
            late.expiresAt = nil
            #expect(try await ledger.insertKey(late, limit: 2) == .made, "the others have expired by then")
            #expect(try await ledger.insertKey(made[4]) == .made, "without a limit nothing is counted")
        }
    }

    @Test("keys that are made at once at several processes are counted as one after the other")
    func keyLimitAtOnce() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let other = try await startedLedger(dsn)
            let wanted = (0..<40).map { key("k\($0)", hash: UInt8($0)) }
            let outcomes = await withCheckedContinuation { (done: CheckedContinuation<[APIKeyInsertion], Never>) in
                var outcomes: [APIKeyInsertion] = []
                for (index, key) in wanted.enumerated() {
                    (index % 2 == 0 ? ledger : other).insertKey(key, limit: 5) { result in
                        outcomes.append((try? result.get()) ?? .refused)
                        if outcomes.count == wanted.count { done.resume(returning: outcomes) }
                    }
                }
            }
            #expect(outcomes.count { $0 == .made } == 5 && outcomes.count { $0 == .full } == 35)
            other.close()
        }
    }

    @Test("whatever changes a key's row, by whatever hand, gives it a higher number")
    func changed() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = try await ledger.insertKey(key("k1"))
            var last = try #require(try await ledger.keys(account: 1).first?.changed)
            let changes: [() async throws -> Void] = [
                { _ = try await ledger.rotateKey("k1", account: 1, to: bytes(2, 7), previousUntil: now, at: now) },
                { try await ledger.noteUse(["k1": now]) },
                { TestServer.sql("UPDATE api_keys SET expires_at = NULL", in: dsn) },
                { _ = try await ledger.revokeKey("k1", account: 1, at: now) },
            ]
            for change in changes {
                try await change()
                let next = try #require(try await ledger.keys(account: 1).first?.changed)
                #expect(next > last)
                last = next
            }
        }
    }

    @Test("accounts end with the number that a payment secret can carry, and no row gets a higher one")
    func lastAccount() async throws {
        try await withLedger { (ledger, dsn) async throws in
            TestServer.sql("ALTER TABLE accounts ALTER COLUMN id RESTART WITH \(UInt32.max)", in: dsn)
            #expect(try await ledger.insertAccount("last", origin: bytes(1, 1), at: now)?.id == Int64(UInt32.max))
            await #expect { _ = try await ledger.insertAccount("beyond", origin: bytes(2, 1), at: now) } throws: { error in
                if case LedgerError.rejected(Ledger.numbersAreUsedUp, _) = error { true } else { false }
            }
            let refused = TestServer.sql("""
                DO 'BEGIN INSERT INTO accounts (id, name) SELECT \(Int64(UInt32.max) + 1), name FROM accounts LIMIT 1; EXCEPTION WHEN check_violation THEN NULL; END';
                SELECT max(id) FROM accounts
                """, in: dsn)
            #expect(refused.hasSuffix("\(UInt32.max)"))
        }
    }

    // MARK: Open invoices

    private func counted(_ key: String, _ number: Int, _ limit: Int64) -> CountedInvoice {
        CountedInvoice(keyID: key, paymentHash: PaymentHash(bytes(number, 9)), limit: limit)
    }

    @Test("as many invoices are counted as the key may have; each once, and each end makes room")
    func openInvoices() async throws {
        try await withLedger { (ledger, dsn) async throws in
            #expect(try await ledger.count([counted("a", 1, 2), counted("b", 2, 1), counted("a", 3, 2), counted("a", 4, 2)]) == [true, true, true, false])
            #expect(try await ledger.count([counted("a", 1, 2), counted("b", 5, 1)]) == [true, false], "what is counted is counted once")
            try await ledger.uncount([PaymentHash(bytes(1, 9)), PaymentHash(bytes(3, 9)), PaymentHash(bytes(77, 9))])
            try await ledger.uncount([PaymentHash(bytes(1, 9))])
            #expect(TestServer.sql("SELECT key_id, count FROM open_invoices ORDER BY key_id", in: dsn) == "a|0\nb|1")
            #expect(try await ledger.count([counted("a", 6, 2)]) == [true])
        }
    }

    @Test("what has ended unseen is uncounted, and what was counted and never made, but not at once")
    func settlesUp() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let (open, over) = (Payment(1), Payment(2))
            _ = await ledger.commit([open.create, over.create, over.cancel(nil)])
            let fresh = CountedInvoice(keyID: "a", paymentHash: PaymentHash(bytes(1, 9)), limit: 9)
            let old = CountedInvoice(keyID: "a", paymentHash: PaymentHash(bytes(2, 9)), limit: 9)
            let made = [open.hash, over.hash].map { CountedInvoice(keyID: "a", paymentHash: $0, limit: 9) }
            _ = try await ledger.count(made + [fresh, old])
            TestServer.sql("UPDATE counted_invoices SET counted_at = now() - interval '11 minutes' WHERE payment_hash = '\\\\x\(old.paymentHash)'", in: dsn)
            #expect(try await ledger.settleUpCounts())
            #expect(TestServer.sql("SELECT count FROM open_invoices", in: dsn) == "2")
            try await ledger.uncount([open.hash, fresh.paymentHash])
            #expect(try await ledger.settleUpCounts() == false)
        }
    }
}
