import Bolt
import Edge
@testable import Gateway
import Keys
@testable import LND
import Ledger
import Logging
import Loop
import Payments
import TestSupport
import Wire

/// A gateway on a database of its own, with both its HTTP addresses and one node, which is never spoken to: it stands as
/// connected from the beginning, so that invoices can be made.
@LoopActor
final class TestGateway {
    let gateway: PaymentGateway
    let api: GatewayAPI
    let edge: EdgeServer
    let internalEdge: EdgeServer
    let port: Int
    let internalPort: Int
    let ledger: Ledger
    let database: String
    let watchTokens = WatchTokens(identity: PaidInvoice.identity)
    private(set) var key = ""
    private var keys: UInt8 = 0

    /// Runs the body with a gateway that is connected to its store and leads, if it may.
    static func run(
        limits: StreamLimits = .init(), keyLimits: KeyLimits = KeyLimits(), keysPerAccount: Int64 = 1000, database: String = TestServer.makeDatabase(), leads: Bool = true,
        _ body: @LoopActor (TestGateway) async throws -> Void
    ) async throws {
        let test = try TestGateway(limits: limits, keyLimits: keyLimits, keysPerAccount: keysPerAccount, database: database, leads: leads)
        test.gateway.start()
        _ = await eventually { test.gateway.isLeader == leads && test.gateway.head == test.gateway.history.head }
        test.key = await test.makeKey([.admin])
        do {
            try await body(test)
        } catch {
            await test.stop()
            throw error
        }
        await test.stop()
    }

    private init(limits: StreamLimits, keyLimits: KeyLimits, keysPerAccount: Int64, database: String, leads: Bool) throws {
        var logger = Logger(label: "tests")
        logger.logLevel = .critical
        let node = NodeConfiguration(
            name: "alice", host: "127.0.0.1", port: 1, pubkey: PaidInvoice.identity.publicKey, certificate: .bytes([]), macaroon: .bytes([]),
            network: "regtest")
        let settings = GatewaySettings(
            network: .regtest, publicURL: "https://pay.example", nodes: [node], leaseMilliseconds: 500, keyLimits: keyLimits, keysPerAccount: keysPerAccount, mayLead: leads,
            instance: "test", version: "0")
        self.database = database
        ledger = try Ledger(dsn: database, logger: logger)
        gateway = PaymentGateway(settings: settings, identity: PaidInvoice.identity, secrets: PaidInvoice.secrets, ledger: ledger, logger: logger)
        gateway.nodes[0].state = .connected(
            NodeInfo(pubkey: node.pubkey, alias: "alice", network: "regtest", version: nil, blockHeight: 1, warnings: []))
        let issuer = InvoiceIssuer(settings: settings, identity: PaidInvoice.identity, secrets: PaidInvoice.secrets)
        let api = GatewayAPI(gateway: gateway, issuer: issuer, watchTokens: watchTokens, streamLimits: limits)
        let edge = EdgeServer(configuration: .init(address: "127.0.0.1", port: 0), application: api, channels: api, logger: logger)
        internalEdge = EdgeServer(
            configuration: .init(address: "127.0.0.1", port: 0, servesWebSocket: false),
            application: InternalAPI(gateway: gateway) { edge.status }, logger: logger)
        self.api = api
        self.edge = edge
        port = Int(try edge.start())
        internalPort = Int(try internalEdge.start())
        gateway.onEvents = { events in
            edge.publish(events)
            api.published(events)
        }
    }

    private func stop() async {
        edge.stop()
        internalEdge.stop()
        await withCheckedContinuation { done in gateway.stop { done.resume() } }
    }

    func makeKey(
        _ scopes: [Scope], account: Int64 = 1, expiresIn milliseconds: Int64? = nil, limits: KeyLimits = KeyLimits(), number: UInt8? = nil
    ) async -> String {
        keys = number ?? keys + 1
        let (id, text) = APIKeyText.make(id: [UInt8](repeating: keys, count: 8), secret: Bytes32(repeatElement(keys, count: 32))!)
        let record = APIKeyRecord(
            id: id, name: "test", hash: APIKeyText.hash(text, by: LibCrypto.self), scopes: scopes.map(\.rawValue), account: account,
            createdAt: UnixTime(seconds: 1), expiresAt: milliseconds.map { gateway.now.advanced(byMilliseconds: $0) }, limits: limits)
        await withCheckedContinuation { done in ledger.insertKey(record) { _ in done.resume() } }
        return text
    }

    /// Asks with the key of ``key``, or with another, or with none.
    func ask(
        _ method: String, _ path: String, _ body: String? = nil, key: String?? = .none, fields: [String: String] = [:]
    ) async -> HTTPAnswer {
        await HTTPExchange(port: port).ask(method, path, body, fields: with(key, fields))
    }

    /// A request whose answer is not waited for.
    func begin(
        _ path: String, method: String = "GET", body: String? = nil, key: String?? = .none, fields: [String: String] = [:]
    ) -> HTTPExchange {
        let exchange = HTTPExchange(port: port)
        exchange.send(method, path, body, fields: with(key, fields))
        return exchange
    }

    private func with(_ key: String??, _ fields: [String: String]) -> [String: String] {
        guard let key = key ?? self.key else { return fields }
        return fields.merging(["Authorization": "Bearer \(key)"]) { $1 }
    }

    /// An account beside the first.
    func makeAccount() async -> Int64 {
        let made = await withCheckedContinuation { done in
            ledger.insertAccount(name: "other", origin: SecureRandom.bytes32(), at: gateway.now) { done.resume(returning: $0) }
        }
        return (try? made.get())??.id ?? 0
    }

    /// A stored invoice's JSON.
    func create(_ body: String = #"{"amount_msat":1000}"#, key: String?? = .none) async throws -> JSONValue {
        let answer = await ask("POST", "/v1/invoices", body, key: key)
        guard answer.status == 201 else { throw Unexpected(answer: answer) }
        return try answer.json
    }

    struct Unexpected: Error { var answer: HTTPAnswer }
}
