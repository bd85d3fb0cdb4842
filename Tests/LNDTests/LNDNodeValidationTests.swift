import Foundation
import GRPC
import LNDProto
import Loop
import Payments
import SwiftProtobuf
import Testing

@testable import LND

@Suite("A node that cannot be used", .timeLimit(.minutes(1)))
@LoopActor
struct LNDNodeValidationTests {
    private func end(_ observed: Observed, _ fake: FakeNode) {
        observed.node.stop()
        fake.stop()
    }

    @Test("is refused with reason and remedy, never intercepted, and taken once it is set right", arguments: Flaw.all)
    func refused(flaw: Flaw) async throws {
        let fake = FakeNode()
        let (info, version) = (fake.info, fake.version)
        flaw.spoil(fake)
        try fake.start()
        let observed = Observed(port: fake.port)
        try await eventually { observed.refusal != nil }
        let problem = try #require(observed.refusal)
        #expect(problem.reason.contains(flaw.reason))
        #expect(problem.remedy.contains(flaw.remedy))
        #expect(observed.node.problem == problem)
        #expect(!fake.calls.contains(.htlcInterceptor))
        #expect(observed.facts.isEmpty)
        (fake.info, fake.version, fake.refusals) = (info, version, [:])
        try await eventually { observed.isConnected }
        #expect(observed.node.problem == nil)
        end(observed, fake)
    }

    @Test("is validated again at every connect")
    func validatedAgain() async throws {
        let fake = FakeNode()
        try fake.start()
        let observed = Observed(port: fake.port)
        try await eventually { observed.isConnected }
        fake.info.requireHtlcInterceptor = false
        fake.drop()
        try await eventually { observed.refusal?.remedy.contains("requireinterceptor=true") == true }
        #expect(fake.calls.count { $0 == .htlcInterceptor } == 1)
        end(observed, fake)
    }

    @Test("waits, and says for what, while the wallet is closed", arguments: [
        (.locked, "locked"), (.nonExisting, "no wallet"), (.rpcActive, "starting"), (.unlocked, "starting"), (.waitingToStart, "waits"), (.UNRECOGNIZED(77), "77"),
    ] as [(Lnrpc_WalletState, String)])
    func waits(state: Lnrpc_WalletState, words: String) async throws {
        let fake = FakeNode()
        fake.walletStates = [state]
        try fake.start()
        let observed = Observed(port: fake.port)
        try await eventually { if case .waiting(let reason) = observed.node.state { reason.contains(words) } else { false } }
        #expect(observed.node.problem != nil)
        #expect(!fake.calls.contains(.getInfo))
        fake.walletBecomes(.serverActive)
        try await eventually { observed.isConnected }
        #expect(observed.states.contains { if case .refused = $0 { true } else { false } } == false)
        end(observed, fake)
    }

    @Test("waits while the main service is starting although the wallet is open")
    func starting() async throws {
        let fake = FakeNode()
        fake.refusals[.getInfo] = GRPCStatus(.unknown, "the RPC server is in the process of starting up, but not yet ready to accept calls")
        try fake.start()
        let observed = Observed(port: fake.port)
        try await eventually { observed.node.state == .waiting("lnd is starting") }
        fake.refusals = [:]
        try await eventually { observed.isConnected }
        end(observed, fake)
    }

    @Test("with another certificate it gets no word of ours, and is taken when the file was renewed")
    func wrongCertificate() async throws {
        let fake = FakeNode()
        try fake.start(with: .second)
        let file = TemporaryFile(Certificate.first.certificatePEM)
        let observed = Observed(port: fake.port, certificate: .path(file.path))
        try await eventually { observed.refusal != nil }
        #expect(observed.refusal?.reason.contains("certificate") == true)
        #expect(observed.refusal?.remedy.contains("tls_cert") == true)
        #expect(fake.calls.isEmpty)
        file.write(Certificate.second.certificatePEM)
        try await eventually { observed.isConnected }
        end(observed, fake)
    }

    @Test("a macaroon it refuses is read again")
    func wrongMacaroon() async throws {
        let fake = FakeNode()
        try fake.start()
        let file = TemporaryFile([2, 1, 1, 1])
        let observed = Observed(port: fake.port, macaroon: .path(file.path))
        try await eventually { observed.refusal != nil }
        #expect(observed.refusal?.reason == "the macaroon is of another node, or damaged")
        #expect(observed.refusal?.remedy.contains("bakemacaroon") == true)
        file.write([2, 1, 0xde, 0xad, 0xbe, 0xef])
        try await eventually { observed.isConnected }
        end(observed, fake)
    }

    @Test("a macaroon revoked while connected is read again")
    func revokedMacaroon() async throws {
        let fake = FakeNode()
        try fake.start()
        let file = TemporaryFile([2, 1, 0xde, 0xad, 0xbe, 0xef])
        let observed = Observed(port: fake.port, macaroon: .path(file.path))
        try await eventually { observed.isConnected }
        fake.macaroon = "0203"
        fake.drop()
        try await eventually { observed.refusal != nil }
        file.write([2, 3])
        try await eventually { observed.connections == 2 }
        end(observed, fake)
    }

    @Test("credentials that cannot be read are told of, and read when they are there")
    func missingFile() async throws {
        let fake = FakeNode()
        try fake.start()
        let file = TemporaryFile([])
        let observed = Observed(port: fake.port, certificate: .path(file.path))
        try await eventually { observed.refusal?.reason.contains("is empty") == true }
        file.write(Array("no certificate".utf8))
        try await eventually { observed.refusal?.reason.contains("cannot be used") == true }
        file.write(Certificate.first.certificatePEM)
        try await eventually { observed.isConnected }
        end(observed, fake)
    }

    @Test("is asked again when nothing listens, and connected when something does")
    func notThere() async throws {
        let fake = FakeNode()
        try fake.start()
        let port = fake.port
        fake.stop()
        let observed = Observed(port: port)
        try await eventually { observed.node.state == .waiting("the connection was refused") }
        try fake.start(port: port)
        try await eventually { observed.isConnected }
        end(observed, fake)
    }

    @Test("one that stops answering is left and tried again", arguments: [
        LNDMethod.subscribeState, .getState, .getInfo, .getVersion, .registerBlockEpoch, .subscribeHTLCEvents,
    ])
    func silent(method: LNDMethod) async throws {
        let fake = FakeNode()
        fake.silent = [method]
        try fake.start()
        let observed = Observed(port: fake.port, answer: 100)
        try await eventually { fake.calls.count { $0 == .subscribeState } >= 2 }
        #expect(observed.facts.isEmpty)
        #expect(observed.node.problem != nil)
        observed.node.stop()
        fake.stop()
    }

    @Test("being stopped while it tells of its trouble stands")
    func stoppedFromWithin() async throws {
        let observed = Observed(port: 1)
        observed.node.onState = { [unowned node = observed.node] in if case .waiting = $0 { node.stop() } }
        try await eventually { observed.node.state == .stopped }
        try await aWhile()
        #expect(observed.node.state == .stopped)
    }

    @Test("bytes that are no message end the connection and nothing else", arguments: [
        LNDMethod.subscribeState, .getInfo, .getVersion, .registerBlockEpoch, .subscribeHTLCEvents, .htlcInterceptor,
    ])
    func garbage(method: LNDMethod) async throws {
        let fake = FakeNode()
        fake.garbage[method] = [0x0a, 0xff, 0xff, 0xff]
        try fake.start()
        let observed = Observed(port: fake.port)
        try await eventually { fake.calls.count { $0 == .subscribeState } >= 3 }
        fake.garbage = [:]
        try await eventually { observed.isConnected }
        end(observed, fake)
    }
}

/// Something about a node that is not as it has to be.
struct Flaw: Sendable, CustomTestStringConvertible {
    var reason: String
    var remedy: String
    var spoil: @LoopActor @Sendable (FakeNode) -> Void
    var testDescription: String { reason }

    static let all: [Flaw] = [
        Flaw(reason: "not \(Samples.node)", remedy: "pubkey") { $0.info.identityPubkey = "02" + String(repeating: "ab", count: 32) },
        Flaw(reason: "mainnet", remedy: "network") { $0.info.chains[0].network = "mainnet" },
        Flaw(reason: "require_htlc_interceptor", remedy: "requireinterceptor=true") { $0.info.requireHtlcInterceptor = false },
        Flaw(reason: "store_final_htlc_resolutions", remedy: "store-final-htlc-resolutions=true") { $0.info.storeFinalHtlcResolutions = false },
        Flaw(reason: "chainrpc", remedy: "chainrpc") { $0.version.buildTags = ["invoicesrpc"] },
        Flaw(reason: "too old", remedy: "upgrade lnd") { $0.version.appMinor = 15 },
        Flaw(reason: "no verrpc.Versioner/GetVersion", remedy: "gRPC port") {
            $0.refusals[.getVersion] = GRPCStatus(.unimplemented, "unknown service verrpc.Versioner")
        },
        Flaw(reason: "no chainrpc.ChainNotifier/RegisterBlockEpochNtfn", remedy: "tags=chainrpc") {
            $0.refusals[.registerBlockEpoch] = GRPCStatus(.unimplemented, "unknown service chainrpc.ChainNotifier")
        },
        Flaw(reason: "lacks a permission", remedy: "bakemacaroon") {
            $0.refusals[.subscribeHTLCEvents] = GRPCStatus(.unknown, "permission denied")
        },
    ]
}

/// A file that is gone when the test is over.
final class TemporaryFile {
    let path = NSTemporaryDirectory() + "leyden-" + UUID().uuidString
    init(_ bytes: [UInt8]) { write(bytes) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func write(_ bytes: [UInt8]) { _ = FileManager.default.createFile(atPath: path, contents: Data(bytes)) }
}
