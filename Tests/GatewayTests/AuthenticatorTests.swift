@testable import Gateway
import Keys
import Ledger
import Loop
import Payments
import TestSupport
import Testing
import Wire

@LoopActor
@Suite struct AuthenticatorTests {
    private let tokens = WatchTokens(identity: PaidInvoice.identity)

    private func insert(_ number: UInt8, scopes: [String], into ledger: Ledger) async -> String {
        let (id, key) = APIKeyText.make(id: [UInt8](repeating: number, count: 8), secret: Bytes32(repeatElement(number, count: 32))!)
        let record = APIKeyRecord(
            id: id, name: "shop", hash: APIKeyText.hash(key, by: LibCrypto.self), scopes: scopes, account: 1, createdAt: UnixTime(seconds: 1))
        await withCheckedContinuation { done in ledger.insertKey(record) { _ in done.resume() } }
        return key
    }

    /// `nil` where the store cannot say.
    private func check(_ token: String, by authenticator: Authenticator) async -> Credentials?? {
        await withCheckedContinuation { done in
            authenticator.check(token) { outcome in
                switch outcome {
                case .known(let credentials): done.resume(returning: .some(.some(credentials)))
                case .unknown, .expired: done.resume(returning: .some(nil))
                case .busy, .unavailable: done.resume(returning: nil)
                }
            }
        }
    }

    @Test("a key is known by its text, with its account and the scopes that there are")
    func known() async throws {
        try await withLedger { ledger in
            let key = await insert(1, scopes: ["invoices:read", "no:such"], into: ledger)
            let authenticator = Authenticator(ledger: ledger, watchTokens: tokens)
            #expect(await check(key, by: authenticator) == .key(id: "0101010101010101", account: 1, scopes: [.invoicesRead]))
        }
    }

    @Test("a key that was never made, or differs in one digit, is unknown")
    func unknown() async throws {
        try await withLedger { ledger in
            let key = await insert(1, scopes: ["admin"], into: ledger)
            let authenticator = Authenticator(ledger: ledger, watchTokens: tokens)
            for token in ["", "ley_", key.uppercased(), key + "0", String(key.dropLast()) + "2"] {
                #expect(await check(token, by: authenticator) == .some(nil))
            }
        }
    }

    @Test("a burst with one key is answered for each")
    func burst() async throws {
        try await withLedger { ledger in
            let key = await insert(1, scopes: [], into: ledger)
            let authenticator = Authenticator(ledger: ledger, watchTokens: tokens)
            var answers = 0
            for _ in 0..<50 { authenticator.check(key) { if case .known = $0 { answers += 1 } } }
            #expect(await eventually { answers == 50 })
            await aWhile()
            #expect(answers == 50)
        }
    }

    @Test("a watch token is known without the store")
    func watchToken() async throws {
        try await withLedger { ledger in
            let authenticator = Authenticator(ledger: ledger, watchTokens: tokens)
            ledger.close()
            let hash = PaidInvoice().issued.paymentHash
            #expect(await check(tokens.token(for: hash), by: authenticator) == .watch(hash))
        }
    }

    @Test("while the store is away a key is neither known nor unknown, but one just seen still is")
    func unavailable() async throws {
        try await withLedger { ledger in
            let seen = await insert(1, scopes: [], into: ledger)
            let other = await insert(2, scopes: [], into: ledger)
            let authenticator = Authenticator(ledger: ledger, watchTokens: tokens)
            _ = await check(seen, by: authenticator)
            ledger.close()
            #expect(await check(other, by: authenticator) == nil as Credentials??)
            #expect(await check(seen, by: authenticator) == .key(id: "0101010101010101", account: 1, scopes: []))
        }
    }

    @Test("a key that has not been shown here yet is looked up while a flood of guesses is not")
    func flooded() async throws {
        try await withLedger { ledger in
            let key = await insert(1, scopes: [], into: ledger)
            let authenticator = Authenticator(ledger: ledger, watchTokens: tokens)
            #expect(await eventually { authenticator.record(of: "0101010101010101") != nil })
            var busy = 0
            for _ in 0..<Int(2 * Authenticator.guessesPerSecond) { authenticator.check(guess()) { if case .busy = $0 { busy += 1 } } }
            #expect(busy > 0)
            #expect(await check(key, by: authenticator) == .key(id: "0101010101010101", account: 1, scopes: []))
        }
    }

    // MARK: What is learned late

    private func standing(_ authenticator: Authenticator, generation: Int32 = 1) -> Standing {
        authenticator.standing(of: .key(id: "0101010101010101", account: 1, scopes: [], generation: generation))
    }

    @Test("what was read before a key was revoked or rotated gives nothing back when it arrives after that")
    func lateRead() async throws {
        try await withLedger { ledger in
            let key = await insert(1, scopes: [], into: ledger)
            let authenticator = Authenticator(ledger: ledger, watchTokens: tokens)
            _ = await check(key, by: authenticator)
            let before = try #require(authenticator.record(of: "0101010101010101"))
            let rotated: APIKeyRecord? = await withCheckedContinuation { done in
                ledger.rotateKey(before.id, account: 1, to: Bytes32(), previousUntil: UnixTime(seconds: 1), at: UnixTime(seconds: 2)) { done.resume(returning: try? $0.get()) }
            }
            authenticator.learned(try #require(rotated))
            #expect(standing(authenticator) == .expired && standing(authenticator, generation: 2) == .valid)
            authenticator.learned(before)
            #expect(standing(authenticator) == .expired, "the older row does not bring the older secret back")
            let revoked: APIKeyRecord? = await withCheckedContinuation { done in
                ledger.revokeKey(before.id, account: 1, at: UnixTime(seconds: 3)) { done.resume(returning: try? $0.get()) }
            }
            authenticator.learned(try #require(revoked))
            authenticator.learned(try #require(rotated))
            #expect(standing(authenticator, generation: 2) == .revoked)
            #expect(await check(key, by: authenticator) == .some(nil))
        }
    }

    @Test("a key whose row is gone stays gone, whatever was read of it before")
    func goneRow() async throws {
        try await TestGateway.run { test in
            let key = await test.makeKey([.eventsRead])
            let authenticator = test.api.authenticator
            guard case .some(.some(let credentials)) = await check(key, by: authenticator), case .key(let id, _, _, _) = credentials else {
                Issue.record("not let in"); return
            }
            let before = try #require(authenticator.record(of: id))
            TestServer.sql("DELETE FROM api_keys WHERE id = '\(id)'", in: test.database)
            #expect(await eventually { authenticator.standing(of: credentials) == .revoked })
            authenticator.learned(before)
            #expect(authenticator.standing(of: credentials) == .revoked)
        }
    }

    // MARK: Guessing

    private func guess() -> String {
        APIKeyText.make(id: SecureRandom.bytes(8), secret: SecureRandom.bytes32()).key
    }

    @Test("a flood of wrong keys costs so many look-ups and no more, and whoever was known before is let in all the while")
    func flood() async throws {
        try await withLedger { ledger in
            let good = await insert(1, scopes: [], into: ledger), fresh = await insert(2, scopes: [], into: ledger)
            let authenticator = Authenticator(ledger: ledger, watchTokens: tokens)
            _ = await check(good, by: authenticator)
            let start = Clock.monotonicNanoseconds
            var unknown = 0, busy = 0, admitted = 0
            for number in 0..<5000 {
                authenticator.check(guess()) { outcome in
                    switch outcome {
                    case .unknown: unknown += 1
                    case .busy: busy += 1
                    case .known, .expired, .unavailable: Issue.record("a guess is none of these")
                    }
                }
                if number % 100 == 0 { authenticator.check(good) { if case .known = $0 { admitted += 1 } } }
            }
            #expect(await eventually { unknown + busy == 5000 && admitted == 50 })
            let seconds = Int64((Clock.monotonicNanoseconds - start) / 1_000_000_000) + 1
            #expect(unknown <= Authenticator.guessesPerSecond * (seconds + 1) && busy > 0)
            // Who was never seen here is let in as soon as there is room.
            var isIn = false
            for _ in 0..<200 where !isIn {
                if case .some(.some) = await check(fresh, by: authenticator) { isIn = true } else { try await Task.sleep(for: .milliseconds(20)) }
            }
            #expect(isIn)
        }
    }

    @Test("a known key is looked up again while guesses fill what may be looked up")
    func knownDuringFlood() async throws {
        try await withLedger { ledger in
            let good = await insert(1, scopes: [], into: ledger)
            let authenticator = Authenticator(ledger: ledger, watchTokens: tokens)
            _ = await check(good, by: authenticator)
            // What was found out is remembered for five seconds.
            try await Task.sleep(for: .milliseconds(5_100))
            for _ in 0..<1000 { authenticator.check(guess()) { _ in } }
            #expect(await check(good, by: authenticator) == .key(id: "0101010101010101", account: 1, scopes: []))
        }
    }

    @Test("one wrong key that is shown again and again is looked up once")
    func sameGuess() async throws {
        try await withLedger { ledger in
            let authenticator = Authenticator(ledger: ledger, watchTokens: tokens)
            let wrong = guess()
            for _ in 0..<(Authenticator.guessesPerSecond + 50) { #expect(await check(wrong, by: authenticator) == .some(nil)) }
        }
    }
}
