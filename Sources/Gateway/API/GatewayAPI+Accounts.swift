internal import Edge
internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

// Accounts and the audit log.
extension GatewayAPI {
    /// Made again from the same claim it is the same account.
    func createAccount(_ exchange: Exchange) {
        let wanted: AccountRequest
        do throws(FieldError) {
            wanted = try AccountRequest(decoding: exchange.request.body)
        } catch {
            return exchange.refuse(.invalid(error))
        }
        ledger.insertAccount(name: wanted.name, origin: exchange.claim?.seed ?? SecureRandom.bytes32(), at: gateway.now) { result in
            if case .failure(.rejected(Ledger.numbersAreUsedUp, _)) = result { return exchange.refuse(.tooManyAccounts) }
            guard case .success(let record?) = result else { return exchange.refuse(.unavailable) }
            exchange.target = "\(record.id)"
            var json = JSONWriter()
            Self.append(record, to: &json)
            exchange.respond(json.bytes, status: 201)
        }
    }

    /// All of them for the operator, its own for everybody else.
    func listAccounts(_ exchange: Exchange, _ caller: Caller) {
        guard let limit = exchange.number("limit", default: 50, in: 1...500) else { return exchange.refuse(.invalidQuery("limit")) }
        guard let after = exchange.number("after", default: 0, in: 0...(.max)) else { return exchange.refuse(.invalidQuery("after")) }
        ledger.accounts(only: caller.isOperator ? nil : caller.account, after: after, limit: Int(limit)) { result in
            guard case .success(let found) = result else { return exchange.refuse(.unavailable) }
            var json = JSONWriter()
            json.object { json in
                json.array("accounts") { json in for record in found.prefix(Int(limit)) { Self.append(record, to: &json) } }
                json.field("next", found.count > limit ? found[Int(limit) - 1].id : nil)
            }
            exchange.respond(json.bytes)
        }
    }

    func showAudit(_ exchange: Exchange, _ caller: Caller) {
        guard let limit = exchange.number("limit", default: 50, in: 1...500) else { return exchange.refuse(.invalidQuery("limit")) }
        let after = exchange.request.query["after"]
        guard after.map({ $0.utf8.count == 32 && Hex.decode($0) != nil }) ?? true else { return exchange.refuse(.invalidQuery("after")) }
        guard let account = accounts(exchange, caller) else { return }
        ledger.audit(account: account.only, before: after, limit: Int(limit)) { result in
            guard case .success(let found) = result else { return exchange.refuse(.unavailable) }
            var json = JSONWriter()
            json.object { json in
                json.array("entries") { json in for record in found.prefix(Int(limit)) { Self.append(record, to: &json) } }
                json.field("next", found.count > limit ? found[Int(limit) - 1].id : nil)
            }
            exchange.respond(json.bytes)
        }
    }

    /// Of which account a list is to tell: the operator may name one and else gets all. `nil` if it was refused.
    func accounts(_ exchange: Exchange, _ caller: Caller) -> (only: Int64?, Void)? {
        guard exchange.request.query["account"] != nil else { return (caller.isOperator ? nil : caller.account, ()) }
        guard let wanted = exchange.number("account", default: 0, in: 1...(.max)) else {
            exchange.refuse(.invalidQuery("account"))
            return nil
        }
        guard caller.isOperator || wanted == caller.account else {
            exchange.refuse(.forbidden)
            return nil
        }
        return (wanted, ())
    }

    private static func append(_ record: AccountRecord, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", record.id)
            json.field("name", record.name)
            json.field("created_at", record.createdAt)
        }
    }

    private static func append(_ record: AuditRecord, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", record.id)
            json.field("time", record.time)
            json.field("account", record.account)
            json.field("key_id", record.keyID)
            json.field("transport", record.transport)
            json.field("method", record.method)
            json.field("path", record.path)
            json.field("target", record.target)
            json.field("status", Int64(record.status))
            json.field("request_id", record.requestID)
        }
    }
}
