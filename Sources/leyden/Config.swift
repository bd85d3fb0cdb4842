internal import ArgumentParser
internal import Bolt
internal import LND

/// `leyden config`: what the gateway would run with.
struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks or prints the configuration.", subcommands: [Check.self, PrintDefault.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Reads flags, environment and file as `leyden run` would.")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let configuration = try options.load()
            _ = try configuration.requiredIdentityKey()
            _ = try configuration.requiredDSN()
            if json {
                return Console.json([
                    "ok": true, "network": configuration.network.rawValue, "nodes": configuration.nodes.map(\.name),
                    "listen": "\(configuration.listen)", "public_url": configuration.publicURL,
                ])
            }
            Console.line("configuration ok: \(configuration.network.rawValue), \(configuration.nodes.count) node(s), listening on \(configuration.listen)")
        }
    }

    struct PrintDefault: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "print-default", abstract: "Prints a configuration file with every key, its meaning and its default.")

        @Flag(help: "Print JSON: what is known of each key.") var json = false

        func run() {
            guard json else { return Console.text(DefaultFile.text) }
            Console.json([
                "settings": Setting.all.map { setting in
                    ["key": setting.path, "variable": SettingLayer.variable(ofPath: setting.path), "default": setting.fallback ?? "",
                     "about": setting.about.replacing("\n", with: " "), "secret": setting.isSecret ? "true" : "false"]
                },
            ])
        }
    }
}
