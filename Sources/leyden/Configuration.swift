internal import Bolt
internal import Gateway
internal import LND
internal import Ledger
internal import Logging
internal import Payments

/// What the operator decided, typed and checked. Nothing in here was taken from the network.
struct Configuration: Sendable {
    struct TLS: Sendable, Equatable {
        /// Paths of PEM files.
        var certificate: String
        var key: String

        /// `nil` if neither is set.
        init?(_ reader: SettingReader, certificate: String, key: String) throws(ConfigurationError) {
            switch (try reader.place(certificate), try reader.place(key)) {
            case (let first?, let second?): (self.certificate, self.key) = (first, second)
            case (nil, nil): return nil
            case (nil, _): throw .missing(key: certificate, reason: "\(key) is set and of no use without it")
            case (_, nil): throw .missing(key: key, reason: "\(certificate) is set and of no use without it")
            }
        }
    }

    var network: Network
    /// Absent where a command can do without; ``requiredIdentityKey()`` says what to do about it.
    var identityKey: Secret<Bytes32>?
    /// `http` or `https`, without a slash at the end.
    var publicURL: String
    var listen: HostPort
    var internalListen: HostPort
    var tls: TLS?
    var publicDirectory: String?
    var dsn: Secret<String>?
    /// Where commits are heard of, if not at ``dsn``.
    var listenDSN: Secret<String>?
    var migratesByItself: Bool
    var nodes: [NodeConfiguration]
    var routing: RoutingPolicy
    var finalCLTVDelta: UInt16
    var settlement: InvoiceTerms.Settlement
    var acceptTimeout: Interval
    var mppTimeout: Interval
    var lease: Interval
    var drainTimeout: Interval
    var edgeShards: Int
    var edgeLimits: EdgeLimits
    /// What a key may do that has no limits of its own.
    var keyLimits: KeyLimits
    /// How many valid keys an account may make over the API; zero is no limit.
    var keysPerAccount: Int64
    var auditRetention: Interval
    var eventRetention: Interval
    var webhooks: WebhookSettings
    var lnurl: LNURLSettings
    var payoutLookupGrace: Interval
    var grpc: GRPCConfiguration
    var logLevel: Logger.Level
    var logFormat: LogLine.Format

    /// Reads every setting; the first that is wrong is named. The strongest layer comes first.
    init(layers: [SettingLayer], directory: String = "") throws(ConfigurationError) {
        let reader = SettingReader(layers: layers, directory: directory)
        network = try reader.value("network", SettingParser.network)
        identityKey = try reader.optional("identity_key", SettingParser.privateKey)
        publicURL = try reader.value("public_url", SettingParser.baseURL)
        listen = try reader.value("listen", HostPort.init)
        internalListen = try reader.value("internal_listen", HostPort.init)
        tls = try TLS(reader, certificate: "tls.cert", key: "tls.key")
        publicDirectory = try reader.place("public_dir")
        dsn = try reader.optional("database.dsn", SettingParser.dsn)
        listenDSN = try reader.optional("database.listen_dsn", SettingParser.dsn)
        migratesByItself = try reader.value("database.migrate", SettingParser.bool)
        routing = RoutingPolicy(
            cltvDelta: try reader.value("routing.cltv_delta", SettingParser.number(1...2016)),
            feeBase: Millisatoshis(try reader.value("routing.fee_base_msat", SettingParser.number(0...UInt64(UInt32.max)))),
            feePPM: try reader.value("routing.fee_ppm", SettingParser.number(0...1_000_000)))
        finalCLTVDelta = try reader.value("routing.final_cltv", SettingParser.number(18...2016))
        settlement = try reader.value("settlement", SettingParser.settlement)
        acceptTimeout = try reader.value("hold.accept_timeout", SettingParser.interval(atLeast: 1000))
        mppTimeout = try reader.value("hold.mpp_timeout", SettingParser.interval(atLeast: 1000))
        lease = try reader.value("cluster.lease", SettingParser.interval(atLeast: 500))
        drainTimeout = try reader.value("drain_timeout", SettingParser.interval(atLeast: 0))
        edgeShards = try reader.value("edge.shards", SettingParser.number(1...256))
        edgeLimits = try EdgeLimits(reader)
        keyLimits = KeyLimits(
            rate: try reader.value("limits.requests_per_second", SettingParser.number(0...1_000_000)),
            openInvoices: try reader.value("limits.open_invoices", SettingParser.number(0...1_000_000)))
        keysPerAccount = try reader.value("limits.keys", SettingParser.number(0...1_000_000))
        auditRetention = try reader.value("audit.retention", SettingParser.interval(atLeast: 3_600_000))
        eventRetention = try reader.value("events.retention", SettingParser.interval(atLeast: 60_000))
        webhooks = try WebhookSettings(reader, network: network)
        lnurl = try LNURLSettings(reader, publicURL: publicURL, proxies: edgeLimits.proxies)
        payoutLookupGrace = try reader.value("payouts.lookup_grace", SettingParser.interval(atLeast: 1000))
        grpc = try GRPCConfiguration(reader)
        logLevel = try reader.value("log.level", SettingParser.logLevel)
        logFormat = try reader.value("log.format", SettingParser.logFormat)
        nodes = []
        for index in 0..<(try reader.count("nodes")) { nodes.append(try NodeConfiguration("nodes[\(index)]", reader, network: network)) }
        try NodeConfiguration.refuseDuplicates(nodes)

        // BOLT 4: a recipient has to wait at least sixty seconds for the other parts of a payment.
        if network == .mainnet, mppTimeout.milliseconds < 60_000 {
            throw .bad(key: "hold.mpp_timeout", origin: reader.origin("hold.mpp_timeout"), reason: "below 60s on mainnet (BOLT 4)")
        }
        if network == .mainnet, payoutLookupGrace.milliseconds < 90_000 {
            throw .bad(key: "payouts.lookup_grace", origin: reader.origin("payouts.lookup_grace"), reason: "below 90s on mainnet")
        }
        if Int(internalListen.port) + edgeShards - 1 > Int(UInt16.max) {
            throw .bad(key: "edge.shards", origin: reader.origin("edge.shards"), reason: "there are not as many ports after internal_listen's")
        }
        try refuseUnserved(reader)
    }

    func requiredIdentityKey() throws(ConfigurationError) -> Secret<Bytes32> {
        guard let identityKey else {
            throw .missing(key: "identity_key", reason: "make one with `leyden keygen` and name its file in LEYDEN_IDENTITY_KEY_FILE")
        }
        return identityKey
    }

    func requiredDSN() throws(ConfigurationError) -> Secret<String> {
        guard let dsn else {
            throw .missing(key: "database.dsn", reason: "it is a libpq connection string, such as host=/run/postgresql dbname=leyden")
        }
        return dsn
    }

    /// A setting that would be ignored is refused: somebody relies on it.
    private func refuseUnserved(_ reader: SettingReader) throws(ConfigurationError) {
        if tls != nil {
            throw .bad(key: "tls.cert", origin: reader.origin("tls.cert"), reason: "TLS on `listen` is not served yet; put a reverse proxy in front")
        }
    }
}
