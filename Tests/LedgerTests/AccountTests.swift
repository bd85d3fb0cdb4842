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
            #expect(try await ledger.insertKey(key("k1", limits: KeyLimits(rate: 5, openInvoices: 0))))
            #expect(try await ledger.key(hash: bytes(1, 7)) == key("k1", limits: KeyLimits(rate: 5, openInvoices: 0)))
            let rotated = try await ledger.rotateKey("k1", account: 1, to: bytes(2, 7), previousUntil: end, at: now)
            #expect(rotated?.generation == 2 && rotated?.previousHash == bytes(1, 7) && rotated?.previousUntil == end)
            #expect(try await ledger.rotateKey("k1", account: 1, to: bytes(2, 7), previousUntil: now, at: now) == rotated, "twice is once")
            #expect(try await ledger.key(hash: bytes(1, 7)) == rotated)
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
            #expect(try await ledger.insertKey(key("k1")))
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

    // MARK: Claims

    private func wish(_ key: String, _ request: Int = 1, seed: Int = 1, account: Int64 = 1) -> ClaimRequest {
        ClaimRequest(account: account, key: key, request: bytes(request, 2), seed: bytes(seed, 3), time: now)
    }

    @Test("a claim is granted once; others find it running, then answered; another request with its key finds that")
    func claims() async throws {
        try await withLedger { (ledger, _) async throws in
            #expect(try await ledger.claim([wish("a"), wish("b", seed: 2)]) == [.granted(seed: bytes(1, 3), time: now), .granted(seed: bytes(2, 3), time: now)])
            #expect(try await ledger.claim([wish("b", seed: 9), wish("a", 5)]) == [.running, .otherRequest])
            #expect(try await ledger.claim([wish("a", seed: 7, account: 2)]) == [.granted(seed: bytes(7, 3), time: now)], "another account's key is another key")
            try await ledger.answerClaims([ClaimAnswer(account: 1, key: "a", status: 201, answer: [1, 2])])
            try await ledger.answerClaims([ClaimAnswer(account: 1, key: "a", status: 500, answer: [3])])
            #expect(try await ledger.claim([wish("a", seed: 9)]) == [.answered(seed: bytes(1, 3), status: 201, answer: [1, 2])])
            #expect(try await ledger.claim([wish("a", 5)]) == [.otherRequest], "an answer is told to the same request alone")
        }
    }

    @Test("a claim whose holder is gone, or has given it back, is granted again with the seed and time of the first attempt")
    func freedClaims() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = try await ledger.claim([wish("a"), wish("b")])
            TestServer.sql("UPDATE claims SET claimed_until = now() - interval '1 second' WHERE key = 'a'", in: dsn)
            try await ledger.freeClaim(1, "b")
            var later = [wish("a", seed: 8), wish("b", seed: 9)]
            for index in later.indices { later[index].time = now.advanced(byMilliseconds: 5000) }
            #expect(try await ledger.claim(later) == [.granted(seed: bytes(1, 3), time: now), .granted(seed: bytes(1, 3), time: now)])
            #expect(try await ledger.claim(later) == [.running, .running])
            #expect(try await ledger.forgetClaims(before: now) == 0)
            #expect(try await ledger.forgetClaims(before: now.advanced(byMilliseconds: 1)) == 2)
            #expect(try await ledger.claim([wish("a", 5, seed: 4)]) == [.granted(seed: bytes(4, 3), time: now)])
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
