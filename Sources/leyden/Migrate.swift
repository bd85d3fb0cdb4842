internal import ArgumentParser
internal import Ledger

/// `leyden migrate`: brings the database's tables up to date.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the database up to date.", discussion: "Safe to repeat, and beside a running gateway. A database that was restored from a dump is noticed and gets a new epoch.")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Give the log a new epoch: the database was restored to an earlier time and events that clients have seen are gone. Stop the gateway before.")
    var newEpoch = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let dsn = try options.load().requiredDSN()
        let versions: [Int]
        do {
            versions = try await Ledger.migrate(dsn: dsn.reveal())
        } catch {
            throw CommandError(error)
        }
        if newEpoch {
            try await DatabaseSession.with(dsn: dsn.reveal()) { ledger, done in
                ledger.stream { result in
                    switch result {
                    case .success(let position): ledger.renewEpoch(position.epoch, completion: done)
                    case .failure(let error): done(.failure(error))
                    }
                }
            }
        }
        if json {
            Console.json(["applied": versions])
        } else {
            Console.line(versions.isEmpty ? "up to date" : "applied " + versions.map(String.init).joined(separator: ", "))
        }
    }
}
