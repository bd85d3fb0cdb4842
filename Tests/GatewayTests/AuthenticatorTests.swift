@testable import Gateway
import Keys
import Ledger
import Loop
import Payments
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
                case .unavailable: done.resume(returning: nil)
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
}
