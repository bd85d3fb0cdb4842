internal import ArgumentParser
internal import Foundation
internal import Keys
internal import Ledger
internal import Loop
internal import Payments
internal import Wire

/// `leyden keys`: API keys, written straight into the database.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "keys", abstract: "Makes API keys.", subcommands: [Create.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes an API key and prints it, this once.",
            discussion: "The database keeps only a hash of it. Scopes: " + KeysCommand.scopes)

        @Option(name: .customLong("scope"), help: "What the key may do; may be repeated.") var scopes: [String] = []
        @Option(help: "What it is called in lists.") var name = ""
        @Flag(help: "Print JSON: {id, name, key, scopes}.") var json = false
        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            guard !scopes.isEmpty else { throw ValidationError("--scope is missing: what may the key do? \(KeysCommand.scopes)") }
            for scope in scopes where Scope(rawValue: scope) == nil {
                throw ValidationError("\(Text.shown(scope)) is no scope; there are \(KeysCommand.scopes)")
            }
            guard name.utf8.count <= 100, Text.shown(name) == name else { throw ValidationError("--name is too long or not printable") }
        }

        func run() async throws {
            let dsn = try options.load().requiredDSN()
            let (id, key) = APIKeyText.make(id: SecureRandom.bytes(8), secret: SecureRandom.bytes32())
            let record = APIKeyRecord(
                id: id, name: name, hash: APIKeyText.hash(key, by: LibCrypto.self), scopes: Set(scopes).sorted(), account: 1,
                createdAt: UnixTime(milliseconds: Clock.wallMilliseconds))
            let isNew = try await DatabaseSession.with(dsn: dsn.reveal()) { ledger, done in ledger.insertKey(record, completion: done) }
            guard isNew else { throw CommandError("a key with this id exists; try again") }
            if json {
                Console.json(["id": record.id, "name": record.name, "key": key, "scopes": record.scopes])
            } else {
                Console.line(key)
            }
        }
    }

    /// What a key can be allowed.
    fileprivate static let scopes = Scope.allCases.map(\.rawValue).joined(separator: ", ")
}
