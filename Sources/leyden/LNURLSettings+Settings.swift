internal import Gateway

extension LNURLSettings {
    init(_ reader: SettingReader, publicURL: String, proxies: [String]) throws(ConfigurationError) {
        var domains: [Domain] = []
        for index in 0..<(try reader.count("lnurl.domains")) {
            let key = "lnurl.domains[\(index)]"
            let url = try reader.value(key + ".url", SettingParser.baseURL)
            let account: UInt64 = try reader.value(key + ".account", SettingParser.number(1...UInt64(Int64.max)))
            guard !domains.contains(where: { $0.account == Int64(account) }) else {
                throw .bad(key: key + ".account", origin: reader.origin(key + ".account"), reason: "the account has a domain already")
            }
            guard url != publicURL || account == 1, !domains.contains(where: { $0.url == url }) else {
                throw .bad(key: key + ".url", origin: reader.origin(key + ".url"), reason: "the domain is another account's")
            }
            domains.append(Domain(url: url, account: Int64(account)))
        }
        self.init(
            domains: domains, perLink: Int64(try reader.value("lnurl.requests_per_link", SettingParser.number(0...UInt64(1_000_000)))),
            perClient: Int64(try reader.value("lnurl.requests_per_address", SettingParser.number(0...UInt64(1_000_000)))),
            proxies: Set(["127.0.0.1", "::1"] + proxies))
    }
}
