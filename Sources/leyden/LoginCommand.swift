internal import ArgumentParser
internal import Keys
internal import Ledger

/// `leyden login`: which wallets may log in at the dashboard (LUD-04).
struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Lets a wallet log in at the dashboard.", subcommands: [Code.self, Reset.self])

    struct Code: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the code with which the first wallet claims the gateway.",
            discussion: "It is of use only while no wallet may log in. Whoever has it can make himself the operator.")
        @Flag(help: "Print JSON.") var json = false
        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            guard let identity = IdentityKey(try options.load().requiredIdentityKey().reveal()) else { throw CommandError("identity_key is no private key") }
            let code = LNURLSecrets(identity: identity).claimCode
            if json { Console.json(["claim_code": code]) } else { Console.line(code) }
        }
    }

    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets no wallet log in any more; the next one may claim the gateway.",
            discussion: "Who is logged in stays so until the key ends; `leyden keys list` and `revoke` end it at once.")
        @Flag(help: "Print JSON.") var json = false
        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let dsn = try options.load().requiredDSN()
            let count = try await DatabaseSession.with(dsn: dsn.reveal()) { ledger, done in ledger.forgetWallets(completion: done) }
            if json { Console.json(["forgotten": count]) } else { Console.line("\(count) wallets forgotten") }
        }
    }
}
