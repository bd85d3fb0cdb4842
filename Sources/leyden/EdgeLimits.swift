internal import Edge
internal import Foundation
internal import Gateway

/// Who may come to the edge, how often and how much.
struct EdgeLimits: Sendable {
    /// Besides `public_url`'s own; `*` for all.
    var allowedOrigins: [String]
    var proxies: [String]
    var connectionRate: Int
    var commandRate: Int
    var streams: Int
    var streamsPerKey: Int
    var streamsPerWatchToken: Int
    var queueBytes: Int

    init(_ reader: SettingReader) throws(ConfigurationError) {
        allowedOrigins = try reader.list("edge.allowed_origins", SettingParser.origin)
        proxies = try reader.list("edge.proxies", SettingParser.address)
        connectionRate = try reader.value("edge.connection_rate", SettingParser.number(0...1_000_000))
        commandRate = try reader.value("edge.command_rate", SettingParser.number(5...1000))
        streams = try reader.value("edge.streams", SettingParser.number(0...1_000_000))
        streamsPerKey = try reader.value("edge.streams_per_key", SettingParser.number(0...1_000_000))
        streamsPerWatchToken = try reader.value("edge.streams_per_watch_token", SettingParser.number(0...1_000_000))
        queueBytes = try reader.value("edge.queue_bytes", SettingParser.number(1 << 20...1 << 40))
    }

    var limits: EdgeConfiguration.Limits {
        var limits = EdgeConfiguration.Limits()
        limits.connectionsPerSecond = connectionRate
        limits.commandsPerSecond = commandRate
        limits.totalOutboxBytes = queueBytes
        return limits
    }

    var streamLimits: StreamLimits { StreamLimits(total: streams, perKey: streamsPerKey, perWatchToken: streamsPerWatchToken) }

    /// The origins of the pages that are served here. Names of this machine are one another's.
    static func origins(of publicURL: String) -> [String] {
        guard let url = URLComponents(string: publicURL), let scheme = url.scheme?.lowercased(), let host = url.host?.lowercased() else { return [] }
        let isStandard = url.port == (scheme == "https" ? 443 : 80)
        let port = url.port.flatMap { isStandard ? nil : ":\($0)" } ?? ""
        let local = ["127.0.0.1", "localhost", "[::1]"]
        return (local.contains(host) ? local : [host]).map { "\(scheme)://\($0)\(port)" }
    }
}
