internal import Bolt
internal import Delivery
internal import Gateway

extension WebhookSettings {
    init(_ reader: SettingReader, network: Network) throws(ConfigurationError) {
        let rules = OutboundRules(
            allowsPrivate: try reader.value("webhooks.allow_private", SettingParser.bool),
            allowsHTTP: try reader.optional("webhooks.allow_http", SettingParser.bool) ?? (network != .mainnet),
            allowed: try reader.list("webhooks.allow_networks", SettingParser.network(range:)))
        let timeout = try reader.value("webhooks.timeout", SettingParser.interval(atLeast: 100))
        guard timeout.milliseconds <= 60_000 else {
            throw .bad(key: "webhooks.timeout", origin: reader.origin("webhooks.timeout"), reason: "above 60s")
        }
        self.init(rules: rules, timeoutMilliseconds: timeout.milliseconds)
    }
}
