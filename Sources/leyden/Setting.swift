/// One key of the configuration: what the file, the environment and `config print-default` know of it.
struct Setting: Sendable {
    /// The path with dots, as error messages name it; `nodes[].name` stands for every entry of the list.
    let path: String
    /// The default as it is written in the file, if there is one.
    let fallback: String?
    /// What `config print-default` shows, commented out, where there is no default.
    let example: String
    let about: String
    /// May also be given as `…_file`, and never appears in a message.
    let isSecret: Bool
    /// Several values: a list in the file, separated by commas in the environment.
    let isList: Bool

    init(_ path: String, _ fallback: String? = nil, example: String = "", secret: Bool = false, list: Bool = false, _ about: String) {
        self.path = path
        self.fallback = fallback
        self.example = example
        self.about = about
        self.isSecret = secret
        self.isList = list
    }

    static let all: [Setting] = [
        Setting("network", "regtest", "mainnet, testnet, signet, regtest or simnet; every node has to be on it."),
        Setting("identity_key", example: "/etc/leyden/identity.key", secret: true,
                "The key of the virtual node: 32 bytes hex, made by `leyden keygen`. Invoices are signed with it and payments are\n"
                    + "claimed with secrets derived from it; keep a copy where nobody else can read it."),
        Setting("public_url", "http://127.0.0.1:9780", "The only source of the URLs that are handed out."),
        Setting("listen", "127.0.0.1:9780", "HTTP, WebSocket, event streams and the pages."),
        Setting("internal_listen", "127.0.0.1:9781", "/metrics, /health and /ready. Keep it off the public network."),
        Setting("grpc_listen", "127.0.0.1:19090", "The service lnmux.Service, for clients of lnmux; off: not served."),
        Setting("tls.cert", example: "/etc/leyden/tls.crt", "Certificate (PEM) of `listen`; without one a reverse proxy does TLS."),
        Setting("tls.key", example: "/etc/leyden/tls.key", "Its private key (PEM)."),
        Setting("public_dir", example: "/usr/share/leyden/public",
                "The directory of the pages. Unset: `public` beside the executable or in the working directory."),
        Setting("database.dsn", example: "/etc/leyden/dsn", secret: true, "A libpq connection string, e.g. host=/run/postgresql dbname=leyden."),
        Setting("database.listen_dsn", example: "/etc/leyden/listen-dsn", secret: true,
                "Another one of the same database, past the pooler if `dsn` leads through one: poolers swallow NOTIFY, and without it\n"
                    + "events of other processes arrive up to a second late."),
        Setting("database.migrate", "true", "Whether `leyden run` brings the tables up to date before it starts."),
        Setting("nodes[].name", example: "alice", "How events and metrics call the node."),
        Setting("nodes[].kind", "lnd", "lnd is the only kind."),
        Setting("nodes[].address", example: "10.0.0.5:10009", "Where its gRPC listens."),
        Setting("nodes[].pubkey", example: "02…", "Its identity key, 66 hex digits; another node at this address is refused."),
        Setting("nodes[].tls_cert", example: "/var/lib/lnd/tls.cert", "Its tls.cert as path, hex or base64; the connection is pinned to it."),
        Setting("nodes[].macaroon", example: "/var/lib/lnd/leyden.macaroon", secret: true,
                "As path, hex or base64; see README.md for the permissions it needs."),
        Setting("nodes[].allow_admin_macaroon", "false",
                "Whether `leyden run` starts on mainnet with a macaroon that can move the node's coins. Without this it refuses."),
        Setting("nodes[].proxy", example: "127.0.0.1:9050", "A SOCKS5 proxy to reach it through (socks5://name:password@host:port with a password); it\n"
                    + "resolves the address, so an .onion one is reached."),
        Setting("routing.cltv_delta", "80", "Blocks between the incoming and the outgoing expiry of the virtual channels."),
        Setting("routing.fee_base_msat", "0", "What the virtual channels charge for each HTLC."),
        Setting("routing.fee_ppm", "0", "And for each million of the amount."),
        Setting("routing.final_cltv", "80", "The final delta that invoices ask for."),
        Setting("settlement", "auto", "auto: settled when paid in full. hold: somebody has to settle or cancel."),
        Setting("hold.accept_timeout", "60s", "How long a complete payment waits for that before it is failed back."),
        Setting("hold.mpp_timeout", "60s", "How long the first part waits for the others; at least 60s on mainnet (BOLT 4)."),
        Setting("cluster.lease", "3s", "How long an interceptor that is not heard of keeps its place."),
        Setting("drain_timeout", "30s", "How long `leyden run` takes for its farewell after SIGTERM, at most."),
        Setting("edge.shards", "1",
                "Processes that serve clients on `listen`. Each after the first has a listener of its own for /metrics, /health and\n"
                    + "/ready, on the ports that follow internal_listen's."),
        Setting("edge.allowed_origins", example: "[https://shop.example]", list: true,
                "Origins of browser pages, besides public_url's, that may open the WebSocket: of shops that embed the payment page.\n"
                    + "'*' lets all pages; they still need an API key or a watch token."),
        Setting("edge.proxies", example: "[10.0.0.2]", list: true,
                "Addresses of reverse proxies, besides this machine's own: connection_rate does not count for them."),
        Setting("edge.connection_rate", "200", "New connections that one address may open in a second, ten times as many at once; 0: no limit."),
        Setting("edge.command_rate", "50",
                "Commands that one WebSocket client may send in a second, ten times as many at once; a fifth without an API key."),
        Setting("edge.streams", "10000", "Event streams, long polls and waits that may be open at once."),
        Setting("edge.streams_per_key", "100", "Those of one API key."),
        Setting("edge.streams_per_watch_token", "10", "Those of one watch token."),
        Setting("edge.queue_bytes", "268435456", "What may wait for all clients together; who makes it more is closed and can resume."),
        Setting("limits.requests_per_second", "0", "Requests that an API key without a limit of its own may send in a second to one process; 0: no limit."),
        Setting("limits.open_invoices", "0", "Stored invoices that such a key may have open at once; 0: no limit. Stateless ones take no\n"
                    + "place anywhere until they are paid and are not counted: the rate is their limit."),
        Setting("limits.keys", "1000", "Valid API keys that an account may have made over the API; 0: no limit."),
        Setting("events.retention", "7d", "How long events can be read and resumed from."),
        Setting("audit.retention", "400d", "How long the audit log is kept."),
        Setting("payouts.lookup_grace", "90s",
                "How long a node has to say that it knows nothing of a payment that it may have been asked for, before that is\n"
                    + "believed; at least 90s on mainnet, where a lost request may still arrive for 80s."),
        Setting("webhooks.allow_private", "false",
                "Whether webhooks may go to this machine and to private networks. Clouds' metadata addresses stay closed."),
        Setting("webhooks.allow_networks", example: "[10.8.0.0/16]", list: true, "Networks that webhooks may go to whatever is said above."),
        Setting("webhooks.allow_http", example: "true", "Whether webhooks may go without TLS. Unset: everywhere but on mainnet."),
        Setting("webhooks.timeout", "15s", "How long a receiver may take to answer."),
        Setting("lnurl.domains[].url", example: "https://shop.example", "Where a domain with Lightning Addresses is reached; public_url is the first account's."),
        Setting("lnurl.domains[].account", "1", "Whose addresses these are; each account has one domain."),
        Setting("lnurl.requests_per_link", "100", "Requests of wallets to one pay link or address in a second; 0: no limit."),
        Setting("lnurl.requests_per_address", "50", "Those from one client's address; proxies are exempt. 0: no limit."),
        Setting("grpc.require_api_key", "false",
                "Whether every call of lnmux.Service needs `authorization: Bearer <key>`. Without it, who brings no key may do\n"
                    + "everything there, which is refused unless grpc_listen is an address of this machine alone."),
        Setting("grpc.tls_cert", example: "/etc/leyden/grpc.crt", "Certificate (PEM) of `grpc_listen`; unset: in the clear, as lnmux."),
        Setting("grpc.tls_key", example: "/etc/leyden/grpc.key", "Its private key (PEM)."),
        Setting("grpc.require_subscriber", "false",
                "Whether a payment of a stateless hold invoice is turned away while its account has no SubscribeInvoiceAccepted open at\n"
                    + "any process, nor had one in the last 30 s: as lnmux, which holds nothing that nobody would hear of."),
        Setting("grpc.return_preimage", "false", "Whether AddInvoice of the gRPC service tells the preimage, as lnmux did."),
        Setting("log.level", "info", "trace, debug, info, notice, warning, error or critical."),
        Setting("log.format", "console", "console: a line for people. json: an object on a line, with time, level, label, room and message."),
    ]

    private static let byPath = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0) })

    /// The setting behind a path as it occurs, such as `nodes[0].name`.
    static func named(_ path: String) -> Setting? { byPath[generic(path)] }

    /// Whether some setting lies below the path, which is then a section and has no value of its own.
    static func isSection(_ path: String) -> Bool {
        let path = generic(path)
        return all.contains { $0.path.hasPrefix(path + ".") || $0.path.hasPrefix(path + "[]") }
    }

    /// `nodes[12].name` → `nodes[].name`
    private static func generic(_ path: String) -> String {
        var result = ""
        var isInside = false
        for character in path {
            if character == "]" { isInside = false }
            if !isInside { result.append(character) }
            if character == "[" { isInside = true }
        }
        return result
    }

    /// The known path that was probably meant, if one is near enough.
    static func resembling(_ path: String) -> String? {
        let wanted = generic(path)
        let nearest = all.map { ($0.path, distance(wanted, $0.path)) }.min { $0.1 < $1.1 }
        if let (path, steps) = nearest, steps <= 2 { return path }
        // The right key in the wrong section, or without one.
        let last = wanted.split(separator: ".").last.map(String.init) ?? wanted
        return all.first { $0.path.split(separator: ".").last.map(String.init) == last }?.path
    }

    /// The variable that was probably meant.
    static func resembling(variable: String) -> String? {
        let nearest = all.map { SettingLayer.variable(ofPath: $0.path) }.map { ($0, distance(variable, $0)) }.min { $0.1 < $1.1 }
        return nearest.flatMap { $0.1 <= 2 ? $0.0 : nil }
    }

    private static func distance(_ from: String, _ to: String) -> Int {
        let from = Array(from.utf8.prefix(64))
        let to = Array(to.utf8)
        var row = Array(0...to.count)
        for (line, byte) in from.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for (column, other) in to.enumerated() {
                let above = row[column + 1]
                row[column + 1] = min(above + 1, row[column] + 1, diagonal + (byte == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[to.count]
    }
}
