internal import Edge
internal import Keys
internal import LNURL
internal import Ledger
internal import Loop
internal import Payments
internal import QR
internal import Wire

// Logging in with a wallet (LUD-04). The browser gets an API key that is good for nothing until a wallet has signed the challenge that
// goes with it; so nothing secret has to find its way to the right browser afterwards.
extension GatewayAPI {
    private static let challengeSeconds: Int64 = 300
    private static let sessionSeconds: Int64 = 43_200

    /// Makes a key that is not good yet, and the code for a wallet.
    func offerLogin(_ exchange: Exchange) {
        guard lnurl.admits(exchange.request) else { return exchange.refuse(.rateLimited) }
        let code: String?
        do throws(FieldError) {
            code = try LoginRequest(decoding: exchange.request.body).claimCode
        } catch {
            return exchange.refuse(.invalid(error))
        }
        let secrets = lnurl.secrets
        guard code.map(secrets.isClaimCode) ?? true else { return exchange.refuse(.wrongClaimCode) }
        let (id, secret) = secrets.loginKey(random: SecureRandom.bytes32())
        let (keyID, text) = APIKeyText.make(id: id, secret: secret)
        let hash = APIKeyText.hash(text, by: LibCrypto.self)
        let now = gateway.now
        let purpose = LoginOffer.purpose(keyID: keyID, keyHash: hash, claims: code != nil)
        let offer = LoginOffer(
            challenge: secrets.challenge(for: purpose, at: now, random: SecureRandom.bytes32()), keyID: keyID, keyHash: hash, claims: code != nil)
        let address = LNURLText(url: offer.url(base: gateway.settings.publicURL))
        var json = JSONWriter()
        json.object { json in
            json.field("key", text)
            json.field("url", address.url)
            json.field("lnurl", address.bech32)
            json.field("keyauth", address.plain(.login))
            json.field("lightning", address.link)
            json.field("qr_url", gateway.settings.publicURL + "/lnurl/auth/" + offer.token + "/qr.svg")
            json.field("expires_at", UnixTime(seconds: now.seconds + Self.challengeSeconds))
        }
        exchange.respond(json.bytes, status: 201)
    }

    /// A wallet has signed. What it may do is decided by the store; a bad signature uses nothing up.
    func login(_ request: HTTPRequest, _ token: String, _ done: @escaping @LoopActor (LNURLRefusal?) -> Void) {
        let now = gateway.now
        guard let offer = LoginOffer(token: token),
            lnurl.secrets.isFresh(offer.challenge, for: offer.purpose, at: now, seconds: Self.challengeSeconds)
        else { return done(.challenge) }
        let claim: LoginClaim
        do throws(LNURLRefusal) {
            claim = try offer.claim { request.query[$0] }
        } catch {
            return done(error)
        }
        guard LibCrypto.verify(der: claim.signature, of: claim.challenge, by: claim.key) else { return done(.signature) }
        let record = APIKeyRecord(
            id: offer.keyID, name: "login " + claim.key.hex.prefix(12), hash: offer.keyHash, scopes: Scope.allCases.map(\.rawValue).sorted(),
            account: Caller.operatorAccount, createdAt: now, expiresAt: UnixTime(seconds: now.seconds + Self.sessionSeconds))
        ledger.login(claim.key, record, claims: offer.claims) { [self] result in
            switch result {
            case .failure: done(.unavailable)
            case .success(.unknownWallet): done(.stranger)
            case .success(.repeated): done(.challenge)
            case .success(.made):
                // With the rights that the store has given it.
                ledger.key(hash: record.hash) { [self] result in
                    guard case .success(let stored?) = result else { return done(nil) }
                    authenticator.made(stored)
                    logins.made(stored)
                    let scopes = Scopes(stored.scopes.compactMap(Scope.init(rawValue:)))
                    let credentials = Credentials.key(id: stored.id, account: stored.account, scopes: scopes, generation: stored.generation)
                    guard let caller = Caller(credentials) else { return done(nil) }
                    note(caller, transport: "http", method: "GET", path: "/lnurl/auth", target: claim.key.hex, status: 200) { done(nil) }
                }
            }
        }
    }

    /// The code for a wallet's camera.
    func loginCode(_ token: String) -> [UInt8]? {
        guard let offer = LoginOffer(token: token), lnurl.secrets.time(of: offer.challenge, for: offer.purpose) != nil else { return nil }
        return QRCode(LNURLText(url: offer.url(base: gateway.settings.publicURL)).code)?.svg
    }

    /// Whether the token is a key that waits for its login; then `done` is told when that has come.
    func awaitLogin(_ token: String, _ done: @escaping @LoopActor (ClientSession.Authentication) -> Void) -> Bool {
        guard APIKeyText.isWellFormed(token), let secret = Bytes32(hex: String(token.suffix(64))),
            lnurl.secrets.isLoginKey(id: String(token.dropFirst(4).prefix(16)), secret: secret)
        else { return false }
        logins.wait(for: APIKeyText.hash(token, by: LibCrypto.self)) { [self] record in
            guard let record else { return done(.unknown) }
            authenticator.made(record)
            authenticator.check(token) { outcome in
                if case .known(let credentials) = outcome { done(.known(credentials)) } else { done(.unknown) }
            }
        }
        return true
    }
}
