import Bolt
@testable import Gateway
import Keys
import LND
import Ledger
import Logging
import Loop
import Payments
import TestSupport
import Testing

@testable import lnsim

/// Simulated nodes with their payer, a database, and any number of gateways one after the other or at once.
@LoopActor
final class SimulatedCopy {
    let dsn = TestServer.makeDatabase()
    let network: SimulatedNetwork
    private let directory = TemporaryDirectory()
    private var gateways: [PaymentGateway] = []

    init(nodes: Int = 2) throws {
        network = try SimulatedNetwork(
            SimulatedNetwork.Options(nodes: nodes, directory: directory.path, network: "regtest", basePort: 0))
        try network.start()
    }

    /// A gateway that has not been started.
    func gateway(_ instance: String = "one", leaseMilliseconds: Int64 = 300) throws -> PaymentGateway {
        var logger = Logger(label: "tests")
        logger.logLevel = .critical
        let nodes = network.nodes.enumerated().map { index, node in
            NodeConfiguration(
                name: "node \(index)", host: "127.0.0.1", port: UInt16(node.port), pubkey: node.publicKey,
                certificate: .bytes(node.directory.certificatePEM), macaroon: .bytes(node.directory.macaroons.first!), network: "regtest")
        }
        let settings = GatewaySettings(
            network: .regtest, publicURL: "http://127.0.0.1", nodes: nodes, leaseMilliseconds: leaseMilliseconds,
            payouts: PayoutPolicy(lookupGrace: 1_000, patience: 200, pause: 50, longestPause: 200), instance: instance, version: "0")
        let gateway = PaymentGateway(
            settings: settings, identity: PaidInvoice.identity, secrets: PaidInvoice.secrets, ledger: try Ledger(dsn: dsn, logger: logger),
            logger: logger)
        gateways.append(gateway)
        return gateway
    }

    /// A gateway that leads and hears all nodes.
    func runningGateway(_ instance: String = "one") async throws -> PaymentGateway {
        let gateway = try gateway(instance)
        gateway.start()
        try #require(await eventually { gateway.receivingNodes.count == self.network.nodes.count })
        return gateway
    }

    func end() async {
        for gateway in gateways { await gateway.stop() }
        network.stop()
    }

    var heldCount: Int { network.nodes.flatMap(\.machine.transits.values).count { $0.phase == .held } }

    func sql(_ text: String) -> String { TestServer.sql(text, in: dsn) }

    /// Somebody else takes the lease, for as long as it likes.
    func stealLease() { _ = sql("UPDATE stream SET term = term + 1, leader = 'thief', lease_until = now() + interval '1 hour'") }
    func returnLease() { _ = sql("UPDATE stream SET leader = NULL, lease_until = NULL") }

    /// An invoice over 100,000 msat through all nodes.
    func invoice(_ gateway: PaymentGateway, _ settlement: InvoiceTerms.Settlement, account: Int64 = 1) throws -> InvoiceRecord {
        let issuer = InvoiceIssuer(settings: gateway.settings, identity: PaidInvoice.identity, secrets: PaidInvoice.secrets)
        let wish = InvoiceIssuer.Wish(amount: Millisatoshis(100_000), description: .text("Tea"), settlement: settlement, isStored: false)
        return try issuer.issue(wish, account: account, through: gateway.receivingNodes, at: gateway.now, random: SecureRandom.bytes32())
    }

    /// Pays it in a part for each of two nodes, the second of which lasts the given number of blocks longer.
    func pay(_ invoice: InvoiceRecord, longer blocks: UInt32 = 0) throws -> Attempt {
        let attempt = Attempt()
        var second = Payer.PartRequest(node: 1, amount: Millisatoshis(60_000))
        if blocks > 0 {
            second.tampering.incomingExpiry = network.height + 300 + blocks
            second.tampering.outgoingExpiry = network.height + 200 + blocks
            second.tampering.payloadExpiry = network.height + 200 + blocks
        }
        _ = try network.payer.pay(
            PayableInvoice(invoice.paymentRequest), [Payer.PartRequest(node: 0, amount: Millisatoshis(40_000)), second], total: nil,
            height: network.height, isOver: { attempt.payment = $0 })
        return attempt
    }

    /// How a payment ended, once it has.
    @LoopActor
    final class Attempt {
        var payment: Payment?
        var status: Payment.Status? { payment?.status }
    }
}

/// Runs the body with a copy of its own and takes it away afterwards.
@LoopActor
func withCopy(_ body: @LoopActor (SimulatedCopy) async throws -> Void) async throws {
    let copy = try SimulatedCopy()
    do {
        try await body(copy)
    } catch {
        await copy.end()
        throw error
    }
    await copy.end()
}

extension PaymentGateway {
    func stop() async {
        await withCheckedContinuation { done in stop { done.resume() } }
    }

    func request(_ wish: Wish, _ invoice: InvoiceRecord) async -> Reply {
        await withCheckedContinuation { done in request(wish, of: invoice, nil) { done.resume(returning: $0) } }
    }

    var nodesAreStopped: Bool { nodes.allSatisfy { $0.state == .stopped } }
}
