import Foundation
import Testing

@Suite("Configuration: every key is known, everything else is refused by name")
struct ConfigurationTests {
    /// Key and default, as they were promised to those who script against them.
    static let promised: [(key: String, fallback: String?)] = [
        ("network", "regtest"), ("identity_key", nil), ("public_url", "http://127.0.0.1:9780"), ("listen", "127.0.0.1:9780"),
        ("internal_listen", "127.0.0.1:9781"), ("grpc_listen", "127.0.0.1:19090"), ("tls.cert", nil), ("tls.key", nil),
        ("database.dsn", nil), ("nodes[].name", nil), ("nodes[].kind", "lnd"), ("nodes[].address", nil), ("nodes[].pubkey", nil),
        ("nodes[].tls_cert", nil), ("nodes[].macaroon", nil), ("nodes[].proxy", nil), ("routing.cltv_delta", "80"),
        ("routing.fee_base_msat", "0"), ("routing.fee_ppm", "0"), ("routing.final_cltv", "80"), ("settlement", "auto"),
        ("hold.accept_timeout", "60s"), ("hold.mpp_timeout", "60s"), ("cluster.lease", "3s"), ("drain_timeout", "30s"),
        ("edge.shards", "1"), ("edge.allowed_origins", nil), ("edge.proxies", nil), ("edge.connection_rate", "200"), ("edge.command_rate", "50"),
        ("edge.streams", "10000"), ("edge.streams_per_key", "100"), ("edge.streams_per_watch_token", "10"), ("edge.queue_bytes", "268435456"),
        ("limits.requests_per_second", "0"), ("limits.open_invoices", "0"), ("events.retention", "7d"),
        ("webhooks.allow_private", "false"), ("webhooks.allow_networks", nil), ("webhooks.timeout", "15s"),
    ]

    static let key = String(repeating: "17", count: 32)
    static let pubkey = "02" + String(repeating: "ab", count: 32)
    static let base = "identity_key: '\(key)'\ndatabase: {dsn: 'host=/run/postgresql dbname=leyden'}\n"
    static let node = """
        nodes:
          - name: alice
            address: 127.0.0.1:10009
            pubkey: '\(pubkey)'
            tls_cert: tls.cert
            macaroon: gateway.macaroon

        """

    @Test("the printed default names every promised key with its default", arguments: promised)
    func defaultNamesKey(key: String, fallback: String?) throws {
        let printed = try LeydenCommand(["config", "print-default"])
        #expect(printed.status == 0)
        let last = key.split(separator: ".").last.map(String.init) ?? key
        let line = printed.output.split(separator: "\n").first { $0.contains(try! Regex("^[# -]*\(last)(_file)?:")) }
        let found = try #require(line, "\(key) is not printed")
        if let fallback { #expect(found.hasSuffix(": " + fallback)) }
    }

    @Test("config/leyden.yml is the printed default, and can be read")
    func fileIsDefault() throws {
        #expect(try LeydenCommand(["config", "print-default"]).output == House.text("config/leyden.yml"))
        let checked = try LeydenCommand.check(
            House.text("config/leyden.yml"), environment: ["LEYDEN_IDENTITY_KEY": Self.key, "LEYDEN_DATABASE_DSN": "dbname=x"])
        #expect(checked.status == 0, "\(checked.errors)")
    }

    @Test("a whole configuration is accepted")
    func accepted() throws {
        let checked = try LeydenCommand.check(Self.base + Self.node)
        #expect(checked.status == 0, "\(checked.errors)")
        #expect(checked.output.contains("1 node"))
    }

    @Test("flags are stronger than the environment, the environment than the file")
    func precedence() throws {
        let yaml = Self.base + "listen: 127.0.0.1:1\n"
        #expect(try LeydenCommand.check(yaml).output.contains("127.0.0.1:1\n"))
        let environment = ["LEYDEN_LISTEN": "127.0.0.1:2"]
        #expect(try LeydenCommand.check(yaml, environment: environment).output.contains("127.0.0.1:2\n"))
        #expect(try LeydenCommand.check(yaml, environment: environment, ["--listen", "127.0.0.1:3"]).output.contains("127.0.0.1:3\n"))
    }

    @Test("nodes can come from the environment alone, and change those of the file")
    func nodesFromEnvironment() throws {
        let environment = [
            "LEYDEN_NODES_0_NAME": "alice", "LEYDEN_NODES_0_ADDRESS": "10.0.0.1:10009", "LEYDEN_NODES_0_PUBKEY": Self.pubkey,
            "LEYDEN_NODES_0_TLS_CERT": "tls.cert", "LEYDEN_NODES_0_MACAROON_FILE": "m",
        ]
        #expect(try LeydenCommand.check(Self.base, environment: environment).output.contains("1 node"))
        let changed = try LeydenCommand.check(Self.base + Self.node, environment: ["LEYDEN_NODES_0_ADDRESS": "nowhere"])
        #expect(changed.errors.contains("nodes[0].address"))
    }

    @Test("secrets can lie in files of their own")
    func secretFiles() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "leyden-key-\(UUID().uuidString)")
        try Data((Self.key + "\n").utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let environment = ["LEYDEN_IDENTITY_KEY_FILE": file.path, "LEYDEN_DATABASE_DSN": "dbname=x"]
        #expect(try LeydenCommand.check("", environment: environment).status == 0)
        let missing = try LeydenCommand.check("", environment: ["LEYDEN_IDENTITY_KEY_FILE": "/nowhere/key"])
        #expect(missing.status == 78)
        #expect(missing.errors.contains("identity_key_file") && missing.errors.contains("no such file"))
        let twice = try LeydenCommand.check(Self.base + "identity_key_file: x\n")
        #expect(twice.errors.contains("both set"))
    }

    @Test(
        "what is wrong is named in one line with its key, and nothing secret is repeated",
        arguments: [
            ("netwrok: regtest", "netwrok: unknown key (did you mean network?)"),
            ("hold: {mpp_timout: 60s}", "hold.mpp_timout: unknown key (did you mean hold.mpp_timeout?)"),
            ("hold: {deeper: {still: 1}}", "hold.deeper: unknown key"),
            ("mpp_timeout: 60s", "mpp_timeout: unknown key (did you mean hold.mpp_timeout?)"),
            ("listen_file: x", "listen_file: unknown key"),
            ("network: main", "network: main is not one of"),
            ("network: mainnet\nhold: {mpp_timeout: 59s}", "hold.mpp_timeout: below 60s on mainnet"),
            ("identity_key: hunter2hunter2", "identity_key: expected 64 hex digits"),
            ("identity_key: '0000000000000000000000000000000000000000000000000000000000000000'", "identity_key: not a private key"),
            ("database: {dsn: hunter2hunter2}", "database.dsn: expected a libpq connection string"),
            ("listen: 9780", "listen: expected host:port"),
            ("listen: 127.0.0.1:65536", "listen: the port has to be"),
            ("listen: '::1:80'", "listen: an IPv6 address stands in brackets"),
            ("listen: {host: a}", "listen.host: unknown key"),
            ("listen: [a, b]", "listen: expected one value"),
            ("public_url: ftp://x", "public_url: expected http(s)://"),
            ("public_url: 'http://user:hunter2hunter2@x'", "public_url: expected http(s)://"),
            ("hold: {accept_timeout: 60}", "hold.accept_timeout: expected a time with its unit"),
            ("hold: {accept_timeout: -5s}", "hold.accept_timeout: expected a time with its unit"),
            ("hold: {accept_timeout: 99999999999999999999d}", "hold.accept_timeout: expected a time"),
            ("events: {retention: 9999999d}", "events.retention: longer than"),
            ("hold: 60s", "hold: expected keys and values below it"),
            ("routing: {cltv_delta: 0}", "routing.cltv_delta: 0 is not a number from 1 to 2016"),
            ("routing: {fee_ppm: 1.5}", "routing.fee_ppm: 1.5 is not a number"),
            ("settlement: maybe", "settlement: maybe is neither auto nor hold"),
            ("edge: {shards: 3}\ninternal_listen: 127.0.0.1:65534", "edge.shards: there are not as many ports"),
            ("tls: {cert: a}", "tls.key is not set"),
            ("tls: {cert: a, key: b}", "tls.cert: TLS on `listen` is not served yet"),
            ("log: {format: xml}", "log.format: xml is neither console nor json"),
            ("grpc_listen: '0.0.0.0:19090'", "grpc.require_api_key: has to be true where grpc_listen is no address of this machine alone"),
            ("grpc: {tls_key: a}", "grpc.tls_cert is not set"),
            ("nodes: [{name: a, kind: lnd, address: 'a:1', pubkey: '02\(String(repeating: "0", count: 64))', proxy: 'hunter2hunter2@b:1'}]", "nodes[0].proxy: expected name:password"),
            ("log: {level: loud}", "log.level: loud is not one of"),
            ("edge: {allowed_origins: ['https://a/path']}", "edge.allowed_origins: an origin has no path"),
            ("allowed_origins: ['https://a']", "allowed_origins: unknown key (did you mean edge.allowed_origins?)"),
            ("edge: {proxies: [proxy.example]}", "edge.proxies: expected an IPv4 or IPv6 address"),
            ("edge: {command_rate: 0}", "edge.command_rate: 0 is not a number from 5 to 1000"),
            ("edge: {queue_bytes: 16}", "edge.queue_bytes: 16 is not a number"),
            ("webhooks: {allow_networks: [10.0.0.1/8]}", "webhooks.allow_networks: expected a network"),
            ("webhooks: {timeout: 2m}", "webhooks.timeout: above 60s"),
            ("nodes: [{name: a}]", "nodes[0].address is not set"),
            ("nodes: [{nam: a}]", "nodes[0].nam: unknown key (did you mean nodes[].name?)"),
            ("nodes: [alice]", "nodes[0]: expected keys and values"),
            ("nodes: alice", "nodes: expected keys and values"),
            ("network: a\nnetwork: b", "is given twice"),
            ("network: [", "leyden.yml: line"),
            ("- a", "expected keys and values"),
            ("just words", "expected keys and values"),
            ("network: \"a\\e[31m\\nb\"", "network: a[31mb is not one of"),
        ])
    func named(yaml: String, message: String) throws {
        let checked = try LeydenCommand.check(yaml)
        #expect(checked.status == 78)
        #expect(checked.errors.contains(message), "\(checked.errors)")
        #expect(checked.errors.hasPrefix("leyden: configuration: "))
        #expect(checked.errors.count { $0 == "\n" } == 1)
        #expect(!checked.errors.contains("hunter2"))
    }

    @Test(
        "unknown variables are refused, those of the command line and of Kubernetes are not",
        arguments: [
            ("LEYDEN_DATBASE_DSN", false), ("LEYDEN_NODES_X_NAME", false), ("LEYDEN_NODES_0_NAM", false), ("LEYDEN_LISTEN_FILE", false),
            ("LEYDEN_URL", true), ("LEYDEN_API_KEY", true), ("LEYDEN_SERVICE_HOST", true), ("LEYDEN_PORT_9780_TCP", true),
        ])
    func variables(name: String, isKnown: Bool) throws {
        let checked = try LeydenCommand.check(Self.base, environment: [name: "x"])
        #expect(checked.status == (isKnown ? 0 : 78))
        if !isKnown { #expect(checked.errors.contains("\(name): unknown key")) }
    }

    @Test("the variable that was probably meant is named")
    func suggestsVariable() throws {
        #expect(try LeydenCommand.check("", environment: ["LEYDEN_DATBASE_DSN": "x"]).errors.contains("did you mean LEYDEN_DATABASE_DSN?"))
    }

    @Test("node names and keys are unique, and numbers of nodes are dense")
    func nodesAreUnique() throws {
        let twice = Self.node + Self.node.replacingOccurrences(of: "nodes:\n", with: "")
        #expect(try LeydenCommand.check(Self.base + twice).errors.contains("nodes[1].name: the same as that of nodes[0]"))
        let gap = ["LEYDEN_NODES_1_NAME": "bob"]
        #expect(try LeydenCommand.check(Self.base, environment: gap).errors.contains("nodes[0] is not set"))
    }

    @Test("bytes that are no configuration end in a message, not in a crash")
    func fuzz() throws {
        var random = SplitMix(state: 7)
        let file = try House.text("config/leyden.yml")
        for round in 0..<40 {
            var bytes = Array(file.utf8)
            if round % 4 == 0 {
                bytes = (0..<2000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            } else {
                for _ in 0..<8 { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next()) }
            }
            let path = FileManager.default.temporaryDirectory.appending(path: "leyden-fuzz-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: path) }
            try Data(bytes).write(to: path)
            let checked = try LeydenCommand(["config", "check", "--config", path.path])
            #expect(checked.status == 78, "round \(round)")
            #expect(checked.errors.count { $0 == "\n" } == 1)
        }
    }
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
