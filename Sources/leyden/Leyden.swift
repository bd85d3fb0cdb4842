internal import ArgumentParser
internal import Foundation

@main
struct Leyden: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leyden",
        abstract: "A Lightning payment gateway in front of any number of LND nodes.",
        version: Version.text,
        subcommands: [
            Run.self, Migrate.self, KeysCommand.self, LoginCommand.self, Keygen.self, Doctor.self, Config.self, Invoice.self, Events.self, Listen.self,
            Trigger.self, NodeCommand.self, PaymentCommand.self, Channels.self, Balance.self, DecodeCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as ConfigurationError {
            Console.error("configuration: \(error)")
            Foundation.exit(78)  // EX_CONFIG
        } catch let error as CommandError {
            Console.error("\(error)")
            Foundation.exit(1)
        } catch {
            exit(withError: error)
        }
    }
}
