import Bolt
import FoundationEssentials
import GRPC
import Keys
import LNDProto
import Loop
import Payments
import SwiftProtobuf
import TestSupport

@testable import lnsim

/// The other side of a simulated node: an invoice writer and an interceptor with just enough wits for these tests.
@LoopActor
final class MiniGateway {
    nonisolated static let virtualChannel: UInt64 = 1 << 63 | 7

    let identity = IdentityKey(SecureRandom.bytes32())!
    let preimage = SecureRandom.bytes32()
    var paymentHash: PaymentHash { PaymentHash(preimage.withSpan { LibCrypto.sha256($0) }) }
    private(set) var offers: [Routerrpc_ForwardHtlcInterceptRequest] = []
    private(set) var status: GRPCStatus?
    private var call: ClientCall?

    /// An invoice that can be paid through the nodes.
    func invoice(_ amount: UInt64?, through nodes: [NodeServer]) throws -> String {
        let hints = nodes.map {
            [HopHint(node: $0.publicKey, shortChannelID: Self.virtualChannel, feeBase: 1000, feePPM: 10, cltvDelta: 40)]
        }
        let draft = Bolt11Draft(
            network: .regtest, amount: amount.map(Millisatoshis.init), timestamp: UnixTime(seconds: 1_700_000_000),
            paymentHash: paymentHash, paymentSecret: PaymentSecret(SecureRandom.bytes32()), description: .text("test"),
            expiry: 3600, minFinalCLTVExpiry: 80, routeHints: hints)
        return try draft.encode(by: LibCrypto.self) { identity.sign(digest: $0) }
    }

    func intercept(_ client: GRPCClient, _ metadata: Metadata, answer: @escaping @LoopActor (MiniGateway, Int) -> Void) {
        status = nil
        call = client.call("/routerrpc.Router/HtlcInterceptor", metadata: metadata) { bytes in
            self.offers.append(try! Routerrpc_ForwardHtlcInterceptRequest(serializedBytes: bytes))
            answer(self, self.offers.count - 1)
        } onEnd: { status, _ in
            self.status = status
        }
    }

    func payload(of offer: Int) throws -> HopPayload {
        let onion = [UInt8](offers[offer].onionBlob)
        let secret = identity.sharedSecret(with: try Onion.ephemeralKey(of: onion))!
        let peeled = try Onion.peel(onion, sharedSecret: secret, associatedData: paymentHash, by: LibCrypto.self)
        return try HopPayload(decoding: peeled.payload.span, isFinal: true)
    }

    func settle(_ offer: Int) {
        reply(offer) {
            $0.action = .settle
            $0.preimage = .init(preimage.array)
        }
    }

    func fail(_ offer: Int, _ message: FailureMessage) throws {
        let onion = [UInt8](offers[offer].onionBlob)
        let secret = identity.sharedSecret(with: try Onion.ephemeralKey(of: onion))!
        let packet = FailurePacket.create(message, sharedSecret: secret, by: LibCrypto.self)
        reply(offer) {
            $0.action = .fail
            $0.failureMessage = .init(packet)
        }
    }

    func resume(_ offer: Int) { reply(offer) { $0.action = .resume } }

    func reply(_ offer: Int, _ fill: (inout Routerrpc_ForwardHtlcInterceptResponse) -> Void) {
        var answer = Routerrpc_ForwardHtlcInterceptResponse()
        answer.incomingCircuitKey = offers[offer].incomingCircuitKey
        fill(&answer)
        call?.send(try! answer.serializedBytes())
    }
}

/// Runs `body` with a network of its own in a fresh directory, and takes both away afterwards.
@LoopActor
func withNetwork(_ nodes: Int = 1, _ body: @LoopActor (SimulatedNetwork) async throws -> Void) async throws {
    let directory = TemporaryDirectory()
    let network = try SimulatedNetwork(
        SimulatedNetwork.Options(nodes: nodes, directory: directory.path, network: "regtest", basePort: 0))
    try network.start()
    defer { network.stop() }
    try await body(network)
}

@LoopActor
func connect(to node: NodeServer) throws -> (client: GRPCClient, metadata: Metadata) {
    let tls = try TLSClient(pinned: node.directory.certificatePEM)
    // Other tests share the loop; a connection that is given up is not tried again here.
    var settings = GRPCSettings()
    settings.connectTimeoutMilliseconds = 120_000
    let client = GRPCClient(host: "127.0.0.1", port: node.port, tls: tls, settings: settings)
    client.connect()
    return (client, Metadata([("macaroon", Hex.encode(node.directory.macaroons.first!))]))
}

/// Waits for something that the loop brings about; fails the test's expectation if it does not in time.
@LoopActor
func eventually(_ condition: @LoopActor () -> Bool) async -> Bool {
    for _ in 0..<12_000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}

extension GRPCClient {
    func unary(_ path: String, _ metadata: Metadata, _ request: [UInt8] = []) async -> Result<[UInt8], GRPCStatus> {
        await withCheckedContinuation { continuation in
            unary(path, metadata: metadata, request: request) { continuation.resume(returning: $0) }
        }
    }
}
