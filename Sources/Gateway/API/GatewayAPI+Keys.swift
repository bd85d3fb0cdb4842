internal import Edge
internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

// API keys over REST. Nobody makes a key that may do more than the one he asks with.
extension GatewayAPI {
    func createKey(_ exchange: Exchange, _ caller: Caller) {
        let wanted: KeyRequest
        do throws(FieldError) {
            wanted = try KeyRequest(decoding: exchange.request.body)
        } catch {
            return exchange.refuse(.invalid(error))
        }
        let account = wanted.account ?? caller.account
        guard caller.isOperator || account == caller.account else { return exchange.refuse(.forbidden) }
        guard let maker = authenticator.record(of: caller.keyID) else { return exchange.refuse(.unavailable) }
        // The time of the first attempt, so that a repeated one makes the same key.
        let time = exchange.claim?.time ?? gateway.now
        let made: (end: UnixTime?, limits: KeyLimits)
        do throws(FieldError) {
            made = try Self.bounded(wanted, by: maker, within: caller.isOperator ? KeyLimits() : gateway.settings.keyLimits, at: time)
        } catch {
            return exchange.refuse(.invalid(error))
        }
        let seed = exchange.claim?.seed ?? SecureRandom.bytes32()
        let (id, key) = APIKeyText.make(
            id: Array(claimSecrets.secret("key id", of: seed).array.prefix(8)), secret: claimSecrets.secret("key", of: seed))
        let record = APIKeyRecord(
            id: id, name: wanted.name, hash: APIKeyText.hash(key, by: LibCrypto.self), scopes: wanted.scopes.map(\.rawValue), account: account,
            createdAt: time, expiresAt: made.end, limits: made.limits)
        exchange.target = id
        let limit = gateway.settings.keysPerAccount
        ledger.insertKey(record, limit: limit > 0 ? limit : nil) { [self] result in
            switch result {
            case .failure: exchange.refuse(.unavailable)
            case .success(.made): exchange.respond(Self.document(record, key: key), status: 201)
            case .success(let refusal):
                // An attempt before this one may have made the key.
                ledger.key(hash: record.hash) { result in
                    switch result {
                    case .failure: exchange.refuse(.unavailable)
                    case .success(let stored?) where stored.account == account: exchange.respond(Self.document(stored, key: key), status: 201)
                    case .success where refusal == .full: exchange.refuse(.tooManyKeys(limit))
                    case .success: exchange.refuse(.invalid(.invalid(field: "account", "there is no such account")))
                    }
                }
            }
        }
    }

    /// A key that ends, or that is limited by itself or by the gateway's standard, makes keys that end no later and are limited as much.
    private static func bounded(
        _ wanted: KeyRequest, by maker: APIKeyRecord, within standard: KeyLimits, at time: UnixTime
    ) throws(FieldError) -> (end: UnixTime?, limits: KeyLimits) {
        var end: UnixTime?
        switch wanted.expiry {
        case .at(let moment):
            guard moment > time else { throw .invalid(field: "expires_at", "must not be over") }
            end = moment
        case .after(let seconds): end = time.advanced(byMilliseconds: seconds * 1000)
        case nil: end = maker.expiresAt
        }
        if let last = maker.expiresAt, let end, end > last {
            throw .invalid(field: "expires_at", "the key that makes it ends at \(RFC3339.text(last))")
        }
        let limits = KeyLimits(
            rate: try bounded(wanted.rate, by: maker.limits.rate, standard.rate, "limits.requests_per_second"),
            openInvoices: try bounded(wanted.openInvoices, by: maker.limits.openInvoices, standard.openInvoices, "limits.open_invoices"),
            budget: wanted.budget)
        // Two keys with a budget could spend it twice.
        guard maker.limits.budget == nil || !wanted.scopes.contains(.paymentsWrite) && !wanted.scopes.contains(.admin) else {
            throw .invalid(field: "scopes", "a key with a budget makes none that pays")
        }
        return (end, limits)
    }

    private static func bounded(_ wanted: Int64?, by own: Int64?, _ standard: Int64?, _ field: String) throws(FieldError) -> Int64? {
        guard let wanted else { return own }
        guard let most = own ?? standard, most > 0 else { return wanted }
        guard (1...most).contains(wanted) else { throw .invalid(field: field, "the key that makes it has \(most)") }
        return wanted
    }

    /// Whether the key is bounded by nothing, so that it may make any other of its account.
    private static func isUnbounded(_ key: APIKeyRecord) -> Bool {
        key.expiresAt == nil && (key.limits.rate ?? 0) == 0 && (key.limits.openInvoices ?? 0) == 0 && key.limits.budget == nil
    }

    func listKeys(_ exchange: Exchange, _ caller: Caller) {
        guard let limit = exchange.number("limit", default: 50, in: 1...500) else { return exchange.refuse(.invalidQuery("limit")) }
        let after = exchange.request.query["after"]
        guard after.map(APIKeyText.isID) ?? true else { return exchange.refuse(.invalidQuery("after")) }
        guard let account = accounts(exchange, caller) else { return }
        ledger.keys(account: account.only, after: after, limit: Int(limit)) { result in
            guard case .success(let found) = result else { return exchange.refuse(.unavailable) }
            var json = JSONWriter()
            json.object { json in
                json.array("keys") { json in for record in found.prefix(Int(limit)) { json.raw(Self.document(record)) } }
                json.field("next", found.count > limit ? found[Int(limit) - 1].id : nil)
            }
            exchange.respond(json.bytes)
        }
    }

    /// For good, whichever of its secrets was shown. Who is connected with it is let go within seconds.
    func revokeKey(_ exchange: Exchange, _ caller: Caller, _ id: String) {
        ledger.revokeKey(id, account: caller.isOperator ? nil : caller.account, at: gateway.now) { [self] result in
            switch result {
            case .failure: exchange.refuse(.unavailable)
            case .success(nil): exchange.refuse(.unknownKey)
            case .success(let record?):
                authenticator.learned(record)
                exchange.respond(Self.document(record))
            }
        }
    }

    /// Gives the key a new secret; the one before is good for the overlap, and one before that no more. A key that ends or is limited gives
    /// one to itself alone: another's could end later, or be limited less.
    func rotateKey(_ exchange: Exchange, _ caller: Caller, _ id: String) {
        let wanted: RotationRequest
        do throws(FieldError) {
            wanted = try RotationRequest(decoding: exchange.request.body)
        } catch {
            return exchange.refuse(.invalid(error))
        }
        guard let maker = authenticator.record(of: caller.keyID) else { return exchange.refuse(.unavailable) }
        guard id == caller.keyID || Self.isUnbounded(maker) else { return exchange.refuse(.forbidden) }
        let seed = exchange.claim?.seed ?? SecureRandom.bytes32()
        guard let bytes = Hex.decode(id) else { return exchange.refuse(.unknownKey) }
        let (_, key) = APIKeyText.make(id: bytes, secret: claimSecrets.secret("rotation of \(id)", of: seed))
        let end = (exchange.claim?.time ?? gateway.now).advanced(byMilliseconds: wanted.overlapSeconds * 1000)
        ledger.rotateKey(
            id, account: caller.isOperator ? nil : caller.account, to: APIKeyText.hash(key, by: LibCrypto.self), previousUntil: end,
            at: gateway.now, for: exchange.claim?.lease
        ) { [self] result in
            switch result {
            case .failure: exchange.refuse(.unavailable)
            case .success(nil): exchange.refuse(.unknownKey)
            case .success(let record?):
                authenticator.learned(record)
                exchange.respond(Self.document(record, key: key))
            }
        }
    }

    /// With `key` the only answer that ever holds the key itself.
    private static func document(_ record: APIKeyRecord, key: String? = nil) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("id", record.id)
            json.field("name", record.name)
            if let key { json.field("key", key) }
            json.field("account", record.account)
            json.array("scopes") { json in for scope in record.scopes { json.string(scope) } }
            json.object("limits") { json in
                json.field("requests_per_second", record.limits.rate)
                json.field("open_invoices", record.limits.openInvoices)
                json.field("budget_msat", record.limits.budget)
            }
            json.field("created_at", record.createdAt)
            json.field("expires_at", record.expiresAt.map(RFC3339.text))
            json.field("revoked_at", record.revokedAt.map(RFC3339.text))
            json.field("last_used_at", record.lastUsedAt.map(RFC3339.text))
            json.field("previous_key_until", record.previousUntil.map(RFC3339.text))
        }
        return json.bytes
    }
}
