internal import ArgumentParser
internal import Ledger

/// `leyden migrate`: brings the database's tables up to date.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the database up to date.", discussion: "Safe to repeat, and beside a running gateway.")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let dsn = try options.load().requiredDSN()
        let versions: [Int]
        do {
            versions = try await Ledger.migrate(dsn: dsn.reveal())
        } catch {
            throw CommandError(error)
        }
        if json {
            Console.json(["applied": versions])
        } else {
            Console.line(versions.isEmpty ? "up to date" : "applied " + versions.map(String.init).joined(separator: ", "))
        }
    }
}
