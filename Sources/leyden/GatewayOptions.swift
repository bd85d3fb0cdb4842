internal import ArgumentParser
internal import Foundation

/// How a command finds the running gateway and proves who asks.
struct GatewayOptions: ParsableArguments {
    @Option(help: "The gateway's address; LEYDEN_URL, or the configuration's public_url, if not given.") var url: String?
    @Option(help: "An API key. LEYDEN_API_KEY and --api-key-file do not show it to other users of this machine.")
    var apiKey: String?
    @Option(help: "The file that holds the API key; LEYDEN_API_KEY_FILE if not given.", completion: .file()) var apiKeyFile: String?
    @Option(help: "The configuration file to take public_url from.", completion: .file()) var config: String?
    @Flag(help: "Print JSON.") var json = false

    func client() throws -> GatewayClient {
        let environment = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
        let address = try url ?? environment["LEYDEN_URL"] ?? configuredURL()
        let base: String
        do {
            base = try SettingParser.baseURL(address)
        } catch {
            throw CommandError("\(Text.shown(address)): \(error.reason)")
        }
        return GatewayClient(base: base, apiKey: try key(environment))
    }

    private func configuredURL() throws -> String {
        var options = try ConfigurationOptions.parse([])
        options.config = config
        return try options.load().publicURL
    }

    private func key(_ environment: [String: String]) throws -> String? {
        if let apiKey { return apiKey }
        if apiKeyFile == nil, let key = environment["LEYDEN_API_KEY"] { return key }
        guard let file = apiKeyFile ?? environment["LEYDEN_API_KEY_FILE"] else { return nil }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw CommandError("\(file): \(ConfigurationFile.reason(file))")
        }
        return String(decoding: data.prefix(4096), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
