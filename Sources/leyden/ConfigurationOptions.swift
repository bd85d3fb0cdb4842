internal import ArgumentParser
internal import Foundation

/// The flags that every command shares. They are stronger than the environment, which is stronger than the file.
/// Secrets have no flags of their own, only the paths of their files: arguments can be read by every user of the machine.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "The configuration file; config/leyden.yml if it exists.", completion: .file(extensions: ["yml", "yaml"]))
    var config: String?
    @Option(help: "mainnet, testnet, signet, regtest or simnet.") var network: String?
    @Option(help: "The only source of URLs handed out.") var publicURL: String?
    @Option(help: "host:port of HTTP and WebSocket.") var listen: String?
    @Option(help: "host:port of /metrics, /health and /ready.") var internalListen: String?
    @Option(help: "host:port of lnmux.Service.") var grpcListen: String?
    @Option(help: "The directory of the pages.", completion: .directory) var publicDir: String?
    @Option(help: "auto or hold.") var settlement: String?
    @Option(help: "The file that holds the identity key.", completion: .file()) var identityKeyFile: String?
    @Option(help: "The file that holds the database's connection string.", completion: .file()) var databaseDsnFile: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel: String?

    /// The file that counts when none is named.
    static let standardFile = "config/leyden.yml"

    /// Reads flags, environment and file.
    func load(environment: [String: String] = ProcessInfo.processInfo.environment) throws(ConfigurationError) -> Configuration {
        var file: ConfigurationFile?
        if let path = config ?? environment["LEYDEN_CONFIG"].flatMap({ $0.isEmpty ? nil : $0 }) {
            file = try ConfigurationFile(path: path)
        } else if FileManager.default.fileExists(atPath: Self.standardFile) {
            file = try ConfigurationFile(path: Self.standardFile)
        }
        var layers = [try flags(), try SettingLayer(environment: environment)]
        if let file { layers.append(file.layer) }
        return try Configuration(layers: layers, directory: file.map { FilePlace.directory(of: $0.path) } ?? "")
    }

    private func flags() throws(ConfigurationError) -> SettingLayer {
        var layer = SettingLayer()
        let given = [
            ("network", network), ("public_url", publicURL), ("listen", listen), ("internal_listen", internalListen),
            ("grpc_listen", grpcListen), ("public_dir", publicDir), ("settlement", settlement),
            ("identity_key_file", identityKeyFile), ("database.dsn_file", databaseDsnFile), ("log.level", logLevel),
        ]
        for (path, value) in given {
            guard let value else { continue }
            try layer.add(path, [value], origin: "--" + path.replacing("_", with: "-").replacing(".", with: "-"))
        }
        return layer
    }
}
