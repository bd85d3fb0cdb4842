import Foundation
import GRPC
import LNDProto
import Loop
import Payments
import SwiftProtobuf

@testable import LND

/// A node that speaks the part of LND's interface that is used, enforces LND's rules, and can be made to misbehave.
@LoopActor
final class FakeNode {
    var walletStates: [Lnrpc_WalletState] = [.serverActive]
    var info = Lnrpc_GetInfoResponse()
    var version = Verrpc_Version()
    var height: UInt32 = 700
    var macaroon = "0201deadbeef"
    /// Said instead of an answer.
    var refusals: [LNDMethod: GRPCStatus] = [:]
    /// Sent instead of the first message of the method.
    var garbage: [LNDMethod: [UInt8]] = [:]
    /// Never answered.
    var silent: Set<LNDMethod> = []
    /// Final resolutions; what is not here is not final.
    var resolutions: [UInt64: Resolution] = [:]

    /// Offered on every new stream until answered, by index.
    private(set) var held: [UInt64: Routerrpc_ForwardHtlcInterceptRequest] = [:]
    private(set) var answers: [Routerrpc_ForwardHtlcInterceptResponse] = []
    private(set) var lookups: [UInt64] = []
    private(set) var calls: [LNDMethod] = []
    private(set) var interceptorHalfClosed = false
    private(set) var port = 0

    private var server: GRPCServer?
    private var stateCalls: [ServerCall] = []
    private var blockCalls: [ServerCall] = []
    private var eventCalls: [ServerCall] = []
    private(set) var interceptor: ServerCall?
    private var ghost = false

    init() {
        info.identityPubkey = Samples.node.hex
        info.alias = "fake"
        info.blockHeight = 700
        info.syncedToChain = true
        info.chains = [Lnrpc_Chain.with { $0.chain = "bitcoin"; $0.network = "regtest" }]
        info.requireHtlcInterceptor = true
        info.storeFinalHtlcResolutions = true
        version.appMinor = 21
        version.appPatch = 2
        version.appPreRelease = "beta"
        version.buildTags = ["chainrpc", "invoicesrpc"]
    }

    func start(with certificate: Certificate = .first, port: Int = 0) throws {
        let tls = try TLSServerConfiguration(certificatePEM: certificate.certificatePEM, keyPEM: certificate.keyPEM)
        let server = GRPCServer(host: "127.0.0.1", port: port, tls: tls)
        serve(.subscribeState, on: server, checksMacaroon: false) { [unowned self] call in
            stateCalls.append(call)
            for state in walletStates { call.send(Self.state(state)) }
        }
        serve(.getState, on: server, checksMacaroon: false) { call in
            call.send(Self.state(.serverActive))
            call.finish(.ok)
        }
        serve(.getInfo, on: server) { [unowned self] in reply(info, to: $0) }
        serve(.getVersion, on: server) { [unowned self] in reply(version, to: $0) }
        serve(.registerBlockEpoch, on: server) { [unowned self] call in
            blockCalls.append(call)
            call.send(Self.block(height))
        }
        serve(.subscribeHTLCEvents, on: server) { [unowned self] call in
            eventCalls.append(call)
            send(Routerrpc_HtlcEvent.with { $0.subscribedEvent = .init() }, to: [call])
        }
        server.handle(LNDMethod.htlcInterceptor.rawValue) { [unowned self] in intercept($0) }
        server.handleUnary(LNDMethod.lookupHTLCResolution.rawValue) { [unowned self] in lookUp($0, $1) }
        self.port = try server.start()
        self.server = server
    }

    func stop() {
        server?.stop()
        server?.closeConnections()
        server = nil
        interceptor = nil
    }

    // MARK: orders of the test

    func walletBecomes(_ state: Lnrpc_WalletState) {
        walletStates = [state]
        for call in stateCalls { call.send(Self.state(state)) }
    }

    func mine(_ height: UInt32) {
        self.height = height
        for call in blockCalls { call.send(Self.block(height)) }
    }

    func offer(_ htlcID: UInt64, change: (inout Routerrpc_ForwardHtlcInterceptRequest) -> Void = { _ in }) {
        var request = Routerrpc_ForwardHtlcInterceptRequest()
        request.incomingCircuitKey.chanID = 1
        request.incomingCircuitKey.htlcID = htlcID
        request.paymentHash = Data(Samples.paymentHash.bytes.array)
        request.incomingAmountMsat = 1_000
        request.incomingExpiry = 800
        request.outgoingAmountMsat = 1_000
        request.outgoingExpiry = 720
        request.outgoingRequestedChanID = VirtualChannel.id(of: Samples.node)
        request.onionBlob = Data(repeating: 0, count: 1366)
        request.autoFailHeight = 781
        change(&request)
        held[htlcID] = request
        send(request, to: [interceptor].compactMap { $0 })
    }

    func tell(_ event: Routerrpc_HtlcEvent) { send(event, to: eventCalls) }

    func sendToInterceptor(_ bytes: [UInt8]) { interceptor?.send(bytes) }

    func endInterceptor(_ status: GRPCStatus) {
        interceptor?.finish(status)
        interceptor = nil
    }

    /// The connection is gone, and as LND does for a while, the interceptor's place is still taken.
    func dropLeavingGhost() {
        server?.closeConnections()
        interceptor = nil
        ghost = true
    }

    func ghostVanishes() { ghost = false }

    func drop() { server?.closeConnections() }

    // MARK: methods

    private func serve(
        _ method: LNDMethod, on server: GRPCServer, checksMacaroon: Bool = true, _ body: @escaping @LoopActor (ServerCall) -> Void
    ) {
        server.handle(method.rawValue) { [unowned self] call in
            guard admits(call, method, checksMacaroon) else { return }
            if let bytes = garbage[method] {
                call.send(bytes)
                if method == .getInfo || method == .getVersion { call.finish(.ok) }
                return
            }
            body(call)
        }
    }

    private func admits(_ call: ServerCall, _ method: LNDMethod, _ checksMacaroon: Bool) -> Bool {
        calls.append(method)
        if checksMacaroon, call.metadata.first("macaroon") != macaroon {
            call.finish(GRPCStatus(.unknown, "verification failed: signature mismatch after caveat verification"))
            return false
        }
        if let status = refusals[method] {
            call.finish(status)
            return false
        }
        return !silent.contains(method)
    }

    private func intercept(_ call: ServerCall) {
        guard admits(call, .htlcInterceptor, true) else { return }
        guard interceptor == nil, !ghost else { return call.finish(GRPCStatus(.unknown, "interceptor already exists")) }
        interceptor = call
        call.onMessage = { [unowned self, unowned call] in answered($0, on: call) }
        call.onHalfClose = { [unowned self, unowned call] in
            interceptorHalfClosed = true
            call.finish(GRPCStatus(.unknown, "EOF"))
        }
        call.onCancel = { [unowned self] in interceptor = nil }
        if let bytes = garbage[.htlcInterceptor] { call.send(bytes) }
        for request in held.values.shuffled() { send(request, to: [call]) }
    }

    private func answered(_ bytes: [UInt8], on call: ServerCall) {
        guard let answer = try? Routerrpc_ForwardHtlcInterceptResponse(serializedBytes: bytes) else { return }
        answers.append(answer)
        guard let request = held[answer.incomingCircuitKey.htlcID] else {
            return endInterceptor(GRPCStatus(.unknown, "forward does not exist"))
        }
        if request.autoFailHeight == request.incomingExpiry, answer.action != .settle {
            return endInterceptor(GRPCStatus(.unknown, "cannot resume held htlc in the on-chain flow"))
        }
        held[answer.incomingCircuitKey.htlcID] = nil
    }

    private func lookUp(_ bytes: [UInt8], _ call: ServerCall) {
        guard admits(call, .lookupHTLCResolution, true),
            let request = try? Lnrpc_LookupHtlcResolutionRequest(serializedBytes: bytes)
        else { return }
        lookups.append(request.htlcIndex)
        guard let resolution = resolutions[request.htlcIndex] else { return call.finish(GRPCStatus(.notFound, "htlc unknown")) }
        reply(Lnrpc_LookupHtlcResolutionResponse.with { $0.settled = resolution.isSettled; $0.offchain = resolution.isOffChain }, to: call)
    }

    private func reply(_ message: some Message, to call: ServerCall) {
        send(message, to: [call])
        call.finish(.ok)
    }

    private func send(_ message: some Message, to calls: [ServerCall]) {
        let bytes: [UInt8] = try! message.serializedBytes()
        for call in calls { call.send(bytes) }
    }

    private static func state(_ state: Lnrpc_WalletState) -> [UInt8] {
        try! Lnrpc_SubscribeStateResponse.with { $0.state = state }.serializedBytes()
    }

    private static func block(_ height: UInt32) -> [UInt8] {
        try! Chainrpc_BlockEpoch.with { $0.height = height }.serializedBytes()
    }
}
