internal import ArgumentParser
internal import Foundation
internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

/// `leyden keys`: API keys, straight in the database: who can read that needs no key for it.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Makes, lists, revokes and rotates API keys.",
        subcommands: [Create.self, List.self, Revoke.self, Rotate.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes an API key and prints it, this once.",
            discussion: "The database keeps only a hash of it. Scopes: " + KeysCommand.scopes)

        @Option(name: .customLong("scope"), help: "What the key may do; may be repeated.") var scopes: [String] = []
        @Option(help: "What it is called in lists.") var name = ""
        @Option(help: "Whose key it is; 1 is the gateway's own account.") var account: Int64 = 1
        @Option(help: "After how long it ends, such as 12h or 90d.") var expiresIn: String?
        @Option(help: "Requests that it may send in a second; 0: no limit. The configuration's if not given.") var requestsPerSecond: Int64?
        @Option(help: "Stored invoices that it may have open; 0: no limit. The configuration's if not given.") var openInvoices: Int64?
        @Flag(help: "Print JSON: {id, name, key, scopes, account, expires_at}.") var json = false
        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            guard !scopes.isEmpty else { throw ValidationError("--scope is missing: what may the key do? \(KeysCommand.scopes)") }
            for scope in scopes where Scope(rawValue: scope) == nil {
                throw ValidationError("\(Text.shown(scope)) is no scope; there are \(KeysCommand.scopes)")
            }
            guard name.utf8.count <= 100, Text.shown(name) == name else { throw ValidationError("--name is too long or not printable") }
            for limit in [requestsPerSecond, openInvoices] where !(0...1_000_000).contains(limit ?? 0) {
                throw ValidationError("a limit is from 0 to 1000000")
            }
            _ = try KeysCommand.interval(expiresIn, "--expires-in")
        }

        func run() async throws {
            let dsn = try options.load().requiredDSN()
            let now = UnixTime(milliseconds: Clock.wallMilliseconds)
            let end = try KeysCommand.interval(expiresIn, "--expires-in").map { now.advanced(byMilliseconds: $0.milliseconds) }
            let (id, key) = APIKeyText.make(id: SecureRandom.bytes(8), secret: SecureRandom.bytes32())
            let record = APIKeyRecord(
                id: id, name: name, hash: APIKeyText.hash(key, by: LibCrypto.self), scopes: Set(scopes).sorted(), account: account,
                createdAt: now, expiresAt: end, limits: KeyLimits(rate: requestsPerSecond, openInvoices: openInvoices))
            let outcome = try await DatabaseSession.with(dsn: dsn.reveal()) { ledger, done in ledger.insertKey(record, completion: done) }
            guard outcome == .made else { throw CommandError("there is no account \(account)") }
            if json {
                Console.json(KeysCommand.document(record).merging(["key": key]) { $1 })
            } else {
                Console.line(key)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints every key: id, account, state, last use, scopes and name.")
        @Option(help: "Only those of this account.") var account: Int64?
        @Flag(help: "Print JSON.") var json = false
        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let dsn = try options.load().requiredDSN()
            var keys: [APIKeyRecord] = []
            var last: String?
            repeat {
                let after = last
                let page = try await DatabaseSession.with(dsn: dsn.reveal()) { ledger, done in
                    ledger.keys(account: account, after: after, limit: KeysCommand.page, completion: done)
                }
                keys += page.prefix(KeysCommand.page)
                last = page.count > KeysCommand.page ? keys.last?.id : nil
            } while last != nil
            if json { return Console.json(["keys": keys.map { KeysCommand.document($0) }]) }
            let now = UnixTime(milliseconds: Clock.wallMilliseconds)
            for key in keys {
                let state = key.revokedAt != nil ? "revoked" : key.expiresAt.map { $0 <= now ? "expired" : "until " + RFC3339.text($0) } ?? "valid"
                let use = key.lastUsedAt.map { "used " + RFC3339.text($0) } ?? "never used"
                Console.line([key.id, "account \(key.account)", state, use, key.scopes.joined(separator: ","), Text.shown(key.name)].joined(separator: "  "))
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a key for good.", discussion: "Whoever is connected with it is let go within seconds.")
        @Argument(help: "The key's id, the sixteen digits after `ley_`.") var id: String
        @Flag(help: "Print JSON.") var json = false
        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let dsn = try options.load().requiredDSN()
            let found = try await DatabaseSession.with(dsn: dsn.reveal()) { ledger, done in
                ledger.revokeKey(id, account: nil, at: UnixTime(milliseconds: Clock.wallMilliseconds), completion: done)
            }
            guard let key = found else { throw CommandError("there is no key \(Text.shown(id)); `leyden keys list` names them") }
            if json { Console.json(KeysCommand.document(key)) } else { Console.line("\(key.id): revoked") }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a key a new secret and prints it, this once.",
            discussion: "The secret before is good for the overlap; one before that ends at once.")
        @Argument(help: "The key's id, the sixteen digits after `ley_`.") var id: String
        @Option(help: "For how long the secret before is still good, such as 1h.") var overlap = "0s"
        @Flag(help: "Print JSON, with the new key.") var json = false
        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            guard APIKeyText.isID(id) else { throw ValidationError("\(Text.shown(id)) is no id of a key") }
            _ = try KeysCommand.interval(overlap, "--overlap")
        }

        func run() async throws {
            let dsn = try options.load().requiredDSN()
            let overlap = try KeysCommand.interval(overlap, "--overlap")?.milliseconds ?? 0
            let now = UnixTime(milliseconds: Clock.wallMilliseconds)
            let (_, key) = APIKeyText.make(id: Hex.decode(id) ?? [], secret: SecureRandom.bytes32())
            let hash = APIKeyText.hash(key, by: LibCrypto.self)
            let found = try await DatabaseSession.with(dsn: dsn.reveal()) { ledger, done in
                ledger.rotateKey(id, account: nil, to: hash, previousUntil: now.advanced(byMilliseconds: overlap), at: now, completion: done)
            }
            guard let record = found else { throw CommandError("there is no valid key \(id); `leyden keys list` names them") }
            if json { Console.json(KeysCommand.document(record).merging(["key": key]) { $1 }) } else { Console.line(key) }
        }
    }

    /// What a key can be allowed.
    fileprivate static let scopes = Scope.allCases.map(\.rawValue).joined(separator: ", ")
    private static let page = 500

    fileprivate static func interval(_ text: String?, _ option: String) throws -> Interval? {
        guard let text else { return nil }
        do {
            return try Interval(text)
        } catch {
            throw ValidationError("\(option): \(error.reason)")
        }
    }

    /// The same names as over REST.
    fileprivate static func document(_ key: APIKeyRecord) -> [String: Any] {
        func time(_ time: UnixTime?) -> Any { time.map { RFC3339.text($0) as Any } ?? NSNull() }
        return [
            "id": key.id, "name": key.name, "scopes": key.scopes, "account": key.account, "created_at": RFC3339.text(key.createdAt),
            "expires_at": time(key.expiresAt), "revoked_at": time(key.revokedAt), "last_used_at": time(key.lastUsedAt),
            "previous_key_until": time(key.previousUntil),
            "limits": ["requests_per_second": key.limits.rate as Any? ?? NSNull(), "open_invoices": key.limits.openInvoices as Any? ?? NSNull()],
        ]
    }
}
