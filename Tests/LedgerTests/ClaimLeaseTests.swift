import Ledger
import Loop
import Payments
import TestSupport
import Testing

@Suite("Claims and who holds them")
@LoopActor
struct ClaimLeaseTests {
    private func wish(_ key: String, _ request: Int = 1, seed: Int = 1, account: Int64 = 1) -> ClaimRequest {
        ClaimRequest(account: account, key: key, request: bytes(request, 2), seed: bytes(seed, 3), time: now)
    }

    /// The seed and the time that were granted, and the lease.
    private struct Grant {
        var lease: ClaimLease
        var seed: Bytes32
        var time: UnixTime
    }

    private func grants(_ ledger: Ledger, _ wishes: [ClaimRequest]) async throws -> [Grant] {
        try await ledger.claim(wishes).compactMap { outcome in
            guard case .granted(let lease, let seed, let time) = outcome else { return nil }
            return Grant(lease: lease, seed: seed, time: time)
        }
    }

    private func grant(_ ledger: Ledger, _ key: String = "a") async throws -> ClaimLease { try #require(try await grants(ledger, [wish(key)]).first?.lease) }

    /// As after the minute that a claim is kept for whoever does not answer.
    private func lapse(_ dsn: String) { TestServer.sql("UPDATE claims SET claimed_until = now() - interval '1 second' WHERE answer IS NULL", in: dsn) }

    @Test("a claim is granted once; others find it running, then answered; another request with its key finds that")
    func claims() async throws {
        try await withLedger { (ledger, _) async throws in
            let granted = try await grants(ledger, [wish("a"), wish("b", seed: 2)])
            #expect(granted.map(\.seed) == [bytes(1, 3), bytes(2, 3)] && granted.map(\.lease.key) == ["a", "b"])
            #expect(try await ledger.claim([wish("b", seed: 9), wish("a", 5)]) == [.running, .otherRequest])
            #expect(try await grants(ledger, [wish("a", seed: 7, account: 2)]).map(\.seed) == [bytes(7, 3)], "another account's key is another key")
            let lease = granted[0].lease
            #expect(try await ledger.answerClaims([ClaimAnswer(lease, status: 201, answer: [1, 2])]) == [true])
            #expect(try await ledger.answerClaims([ClaimAnswer(lease, status: 500, answer: [3])]) == [false], "the first answer stays")
            #expect(try await ledger.claim([wish("a", seed: 9)]) == [.answered(seed: bytes(1, 3), status: 201, answer: [1, 2])])
            #expect(try await ledger.claim([wish("a", 5)]) == [.otherRequest], "an answer is told to the same request alone")
        }
    }

    @Test("a claim whose holder is gone, or has given it back, is granted again with the seed and time of the first attempt")
    func freedClaims() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let first = try await grants(ledger, [wish("a"), wish("b")])
            TestServer.sql("UPDATE claims SET claimed_until = now() - interval '1 second' WHERE key = 'a'", in: dsn)
            try await ledger.freeClaim(first[1].lease)
            var later = [wish("a", seed: 8), wish("b", seed: 9)]
            for index in later.indices { later[index].time = now.advanced(byMilliseconds: 5000) }
            let second = try await grants(ledger, later)
            #expect(second.map(\.seed) == [bytes(1, 3), bytes(1, 3)] && second.map(\.time) == [now, now])
            #expect(Set((first + second).map(\.lease.number)).count == 4, "each holder has a number of his own")
            #expect(try await ledger.claim(later) == [.running, .running])
            #expect(try await ledger.forgetClaims(before: now) == 0)
            #expect(try await ledger.forgetClaims(before: now.advanced(byMilliseconds: 1)) == 2)
            #expect(try await grants(ledger, [wish("a", 5, seed: 4)]).map(\.seed) == [bytes(4, 3)])
        }
    }

    @Test("whoever has lost a claim neither answers nor frees it, at whatever process its next holder is")
    func stalled() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let replica = try await startedLedger(dsn)
            let stalled = try await grant(ledger)
            lapse(dsn)
            let holder = try await grant(replica)
            try await ledger.freeClaim(stalled)
            #expect(try await ledger.claim([wish("a")]) == [.running], "it was not freed")
            #expect(try await ledger.answerClaims([ClaimAnswer(stalled, status: 500, answer: [5]), ClaimAnswer(holder, status: 201, answer: [1])]) == [false, true])
            #expect(try await ledger.answerClaims([ClaimAnswer(stalled, status: 500, answer: [5])]) == [false])
            #expect(try await ledger.claim([wish("a")]) == [.answered(seed: bytes(1, 3), status: 201, answer: [1])])
            replica.close()
        }
    }

    @Test("a claim that was forgotten and made anew does not belong to who held it before")
    func forgotten() async throws {
        try await withLedger { (ledger, _) async throws in
            let old = try await grant(ledger)
            _ = try await ledger.forgetClaims(before: now.advanced(byMilliseconds: 1))
            let new = try await grant(ledger)
            try await ledger.freeClaim(old)
            #expect(try await ledger.claim([wish("a")]) == [.running])
            #expect(try await ledger.answerClaims([ClaimAnswer(old, status: 500, answer: [5])]) == [false])
            #expect(try await ledger.answerClaims([ClaimAnswer(new, status: 200, answer: [1])]) == [true])
        }
    }

    // MARK: Effects

    private func key() -> APIKeyRecord {
        APIKeyRecord(id: "k1", name: "Shop", hash: bytes(1, 7), scopes: ["admin"], account: 1, createdAt: now)
    }

    private func rotate(_ ledger: Ledger, to number: Int, for lease: ClaimLease?) async throws -> APIKeyRecord? {
        try await ledger.rotateKey("k1", account: 1, to: bytes(number, 7), previousUntil: now, at: now, for: lease)
    }

    @Test("an effect is had once for a claim, and not by who has lost it, even after something else has happened in between")
    func fencedEffect() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = try await ledger.insertKey(key())
            let stalled = try await grant(ledger)
            lapse(dsn)
            let holder = try await grant(ledger)
            #expect(try await rotate(ledger, to: 2, for: holder)?.generation == 2)
            #expect(try await rotate(ledger, to: 3, for: nil)?.generation == 3)
            await #expect { _ = try await rotate(ledger, to: 2, for: stalled) } throws: { error in
                if case LedgerError.rejected("LY002", _) = error { true } else { false }
            }
            lapse(dsn)
            let third = try await grant(ledger)
            #expect(try await rotate(ledger, to: 2, for: third)?.generation == 3, "it was carried out before")
            _ = try await ledger.answerClaims([ClaimAnswer(third, status: 200, answer: [1])])
            await #expect(throws: LedgerError.self) { _ = try await rotate(ledger, to: 2, for: third) }
            #expect(try await ledger.keys(account: 1).first?.hash == bytes(3, 7))
        }
    }

    @Test("a webhook's secret is replaced once for a claim")
    func fencedWebhook() async throws {
        try await withLedger { (ledger, dsn) async throws in
            let endpoint = WebhookEndpointRecord(id: "w", account: 1, url: "https://a.example", events: ["*"], createdAt: now)
            _ = await withCheckedContinuation { done in ledger.insertWebhook(endpoint, limit: 9) { done.resume(returning: $0) } }
            let rotate: @LoopActor (ClaimLease) async -> Int64? = { lease in
                await withCheckedContinuation { done in
                    ledger.rotateWebhook("w", account: 1, until: now, for: lease) { done.resume(returning: (try? $0.get())??.generation) }
                }
            }
            let first = try await grant(ledger)
            #expect(await rotate(first) == 2)
            lapse(dsn)
            let second = try await grant(ledger)
            #expect(await rotate(second) == 2, "it was carried out before")
            #expect(await rotate(first) == nil, "it has lost the claim")
        }
    }

    @Test("while an effect is under way nobody else gets its claim, however long it takes")
    func locked() async throws {
        try await withLedger { (ledger, dsn) async throws in
            _ = try await ledger.insertKey(key())
            TestServer.sql("""
                CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NEW; END';
                CREATE TRIGGER dawdle BEFORE UPDATE ON api_keys FOR EACH ROW EXECUTE FUNCTION dawdle()
                """, in: dsn)
            let replica = try await startedLedger(dsn)
            let lease = try await grant(ledger)
            lapse(dsn)
            var told: [String] = []
            await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                let finished: @LoopActor (String) -> Void = { name in
                    told.append(name)
                    if told.count == 2 { done.resume() }
                }
                ledger.rotateKey("k1", account: 1, to: bytes(2, 7), previousUntil: now, at: now, for: lease) { result in
                    if case .success(let key?) = result, key.generation == 2 { finished("carried out") } else { finished("lost") }
                }
                _ = Timer(afterMilliseconds: 500) { replica.claim([wish("a")]) { _ in finished("claimed") } }
            }
            #expect(told == ["carried out", "claimed"])
            replica.close()
        }
    }
}
