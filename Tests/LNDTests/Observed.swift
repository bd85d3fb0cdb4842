import Logging
import Loop
import Payments
import Testing

@testable import LND

/// A node under observation: its facts in the order they came.
@LoopActor
final class Observed {
    enum Fact: Equatable {
        case connected
        case disconnected(NodeProblem)
        case streamLost
        case offered(UInt64)
        case height(UInt32)
        case resolution(UInt64, Resolution)
    }

    let node: LNDNode
    private(set) var facts: [Fact] = []
    private(set) var states: [LNDNode.State] = []
    private(set) var offers: [InterceptedHTLC] = []
    var pending: [CircuitKey] = []

    init(
        port: Int, certificate: CredentialSource = .bytes(Certificate.first.certificatePEM),
        macaroon: CredentialSource = .bytes([2, 1, 0xde, 0xad, 0xbe, 0xef]), network: String = "regtest",
        ghostPatience: UInt64 = 60_000, answer: UInt64 = 5_000
    ) {
        let configuration = NodeConfiguration(
            name: "alice", host: "127.0.0.1", port: UInt16(port), pubkey: Samples.node,
            certificate: certificate, macaroon: macaroon, network: network)
        node = LNDNode(
            configuration: configuration, hash: SampleHash.self,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            timing: .init(answer: answer, quiet: 20),
            reconnecting: .init(
                first: 10, longest: 40, firstAfterRefusal: 10, longestWhileOccupied: 20, ghostPatience: ghostPatience, stable: 10))
        node.onState = { [unowned self] in states.append($0) }
        node.onConnected = { [unowned self] _ in facts.append(.connected) }
        node.onDisconnected = { [unowned self] in facts.append(.disconnected($0)) }
        node.onStreamLost = { [unowned self] in facts.append(.streamLost) }
        node.onHeight = { [unowned self] in facts.append(.height($0)) }
        node.onResolution = { [unowned self] in facts.append(.resolution($0.htlcID, $1)) }
        node.onOffered = { [unowned self] in
            facts.append(.offered($0.circuitKey.htlcID))
            offers.append($0)
        }
        node.pendingCircuits = { [unowned self] in pending }
        node.start()
    }

    var isConnected: Bool { node.info != nil }
    var connections: Int { facts.count { $0 == .connected } }
    var offered: [UInt64] {
        facts.compactMap { if case .offered(let id) = $0 { id } else { nil } }
    }
    var heights: [UInt32] {
        facts.compactMap { if case .height(let height) = $0 { height } else { nil } }
    }
    var refusal: NodeProblem? {
        if case .refused(let problem) = node.state { problem } else { nil }
    }
}

/// Waits until it is so, at most five seconds.
@LoopActor
func eventually(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation, _ condition: @LoopActor () -> Bool) async throws {
    for _ in 0..<2_500 {
        if condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record(comment ?? "it never came true", sourceLocation: sourceLocation)
    throw Failure.unexpected
}

/// Time for something that must not happen.
@LoopActor
func aWhile() async throws { try await Task.sleep(for: .milliseconds(60)) }
