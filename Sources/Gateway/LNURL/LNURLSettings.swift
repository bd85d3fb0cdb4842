/// What the operator decides about LNURL.
public struct LNURLSettings: Equatable, Sendable {
    /// A domain with the addresses of one account.
    public struct Domain: Equatable, Sendable {
        /// Without a slash at the end.
        public var url: String
        public var account: Int64
        public init(url: String, account: Int64) {
            self.url = url
            self.account = account
        }

        /// What stands behind the `@`, and in the field `Host`: with the port if it is not the scheme's own.
        var host: String { Self.host(of: url) }

        static func host(of url: String) -> String {
            guard let range = url.utf8.firstRange(of: "://".utf8) else { return url }
            return url[range.upperBound...].prefix { $0 != "/" }.lowercased()
        }
    }

    /// Where wallets ask: their answers are LNURL's own, whatever is wrong.
    public static let paths = ["/lnurl/", "/.well-known/lnurlp/"]

    /// Beside `public_url`, which is the first account's.
    public var domains: [Domain]
    /// Requests in a second to one link or address; zero is no limit.
    public var perLink: Int64
    /// Requests in a second from one client's address.
    public var perClient: Int64
    /// Addresses of reverse proxies, for which that does not count.
    public var proxies: Set<String>

    public init(domains: [Domain] = [], perLink: Int64 = 100, perClient: Int64 = 50, proxies: Set<String> = ["127.0.0.1", "::1"]) {
        self.domains = domains
        self.perLink = perLink
        self.perClient = perClient
        self.proxies = proxies
    }
}
