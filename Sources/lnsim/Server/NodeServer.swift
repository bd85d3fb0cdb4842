import GRPC
import Keys
import Loop
import Payments

/// One simulated node on the network: LND's gRPC services in front of a ``SimulatedNode``.
@LoopActor
final class NodeServer {
    /// How long things take that a real node does by itself.
    struct Delays: Equatable, Sendable {
        /// From an answer to the moment the peer, and with it the payer, knows.
        var answerMilliseconds: UInt64 = 0
        /// From there to the final resolution.
        var finalMilliseconds: UInt64 = 2
    }

    let directory: NodeDirectory
    let publicKey: PublicKey
    /// What it pays with.
    let wallet: NodeWallet
    var delays = Delays()
    /// What calls with a macaroon are refused with, if anything; for tests of the other side's diagnosis.
    var macaroonComplaint: String?
    private(set) var machine: SimulatedNode
    private(set) var isRunning = false
    private(set) var port: Int
    /// Nobody asked for this very port, and nobody was told of it yet.
    private var mayMove: Bool
    private let host: String
    private let chain: @LoopActor () -> SimulatedChain
    private let report: @LoopActor (SimulatedHTLC.Part, PartOutcome) -> Void
    private var server: GRPCServer?
    private let wheel = TimerWheel(tickMilliseconds: 1)
    private var random = SystemRandomNumberGenerator()
    private var streams = NodeStreams()

    init(
        directory: NodeDirectory, settings: NodeSettings, channels: Set<UInt64>, payees: Payees, host: String, port: Int, mayMove: Bool,
        chain: @escaping @LoopActor () -> SimulatedChain,
        report: @escaping @LoopActor (SimulatedHTLC.Part, PartOutcome) -> Void
    ) {
        self.directory = directory
        publicKey = directory.identity.publicKey
        machine = SimulatedNode(settings: settings, height: chain().height, channels: channels)
        wallet = NodeWallet(identity: directory.identity, payees: payees, channels: channels.sorted())
        (self.host, self.port, self.mayMove, self.chain, self.report) = (host, port, mayMove, chain, report)
        wallet.cut = { [weak self] in self?.dropStream(wholeConnection: true) }
        wallet.die = { [weak self] milliseconds in
            self?.stop()
            self?.wheel.schedule(afterMilliseconds: milliseconds) { try? self?.start() }
        }
    }

    var address: String { "\(host):\(port)" }
    var isIntercepted: Bool { machine.slot != .free }

    // MARK: Life

    func start() throws {
        guard !isRunning else { return }
        let tls = try TLSServerConfiguration(certificatePEM: directory.certificatePEM, keyPEM: directory.keyPEM)
        do {
            try listen(tls)
        } catch where mayMove && port != 0 {
            // Last time's port belongs to somebody else now.
            port = 0
            try listen(tls)
        }
        mayMove = false
        isRunning = true
        try directory.publish(address: address)
        perform(machine.heightReached(chain().height))
    }

    private func listen(_ tls: TLSServerConfiguration) throws {
        var limits = GRPCSettings()
        // As LND asks whether an idle client is still there.
        limits.keepaliveMilliseconds = 60_000
        let server = GRPCServer(host: host, port: port, tls: tls, settings: limits)
        route(server)
        port = try server.start()
        self.server = server
    }

    /// As a killed process: connections are cut, and what only memory held is forgotten.
    func stop() {
        guard isRunning else { return }
        isRunning = false
        streams = NodeStreams()
        wallet.serverEnded()
        server?.stop()
        server?.closeConnections()
        server = nil
        // Removals that the peer knows of go on by themselves.
        perform(machine.restarted())
    }

    /// Ends the interceptor's stream, or with the connection everything, as a network fault would.
    func dropStream(wholeConnection: Bool) {
        if wholeConnection {
            server?.closeConnections()
        } else if case .client(let session) = machine.slot {
            perform([.endSession(session, NodeRefusal(code: .unavailable, text: "transport is closing"))])
            perform(machine.disconnected(session: session))
        }
    }

    /// Cuts the connection without noticing it: the interceptor's place stays taken for a while.
    func ghost(forMilliseconds span: UInt64) {
        machine.ghosted()
        server?.closeConnections()
        wheel.schedule(afterMilliseconds: span) { [weak self] in
            guard let self else { return }
            self.perform(self.machine.ghostNoticed())
        }
    }

    // MARK: Facts

    /// An HTLC of a payer arrives. A node that is not running cannot take it.
    func arrived(_ htlc: SimulatedHTLC) {
        guard isRunning else {
            report(htlc.part, .failed(code: FailureCode.temporaryChannelFailure))
            return
        }
        perform(machine.arrived(htlc))
    }

    /// A fault happens to the node; `false` if it has nothing to happen to.
    func suffer(_ fault: (inout SimulatedNode) -> [NodeOrder]?) -> Bool {
        guard let orders = fault(&machine) else { return false }
        perform(orders)
        return true
    }

    func blockArrived(_ block: SimulatedChain.Block) {
        guard isRunning else { return }
        let message = NodeMessages.block(block)
        for call in streams.blocks.values { call.send(message) }
        perform(machine.heightReached(block.height))
    }

    func change(_ body: (inout NodeSettings) -> Void) {
        let before = machine.settings.walletState
        body(&machine.settings)
        guard machine.settings.walletState != before else { return }
        for call in streams.states.values { call.send(NodeMessages.state(machine.settings.walletState)) }
    }

    // MARK: Orders

    private func perform(_ orders: [NodeOrder]) {
        for order in orders {
            switch order {
            case .offer(let htlc, let autoFailHeight, let session):
                streams.interceptors[session]?.send(NodeMessages.offer(htlc, autoFailHeight: autoFailHeight))
            case .endSession(let session, let refusal):
                streams.interceptors.removeValue(forKey: session)?.finish(refusal.status)
            case .deliver(let circuit):
                after(delays.answerMilliseconds) { $0.machine.delivered(circuit) }
            case .finalise(let circuit):
                after(delays.finalMilliseconds) { $0.machine.finalised(circuit) }
            case .tell(let event):
                guard !streams.events.isEmpty else { continue }
                let message = NodeMessages.event(event, nanoseconds: Self.wallNanoseconds)
                for call in streams.events.values { call.send(message) }
            case .report(let part, let outcome):
                report(part, outcome)
            }
        }
    }

    private func after(_ milliseconds: UInt64, _ fact: @escaping @LoopActor (NodeServer) -> [NodeOrder]) {
        guard milliseconds > 0 else { return perform(fact(self)) }
        wheel.schedule(afterMilliseconds: milliseconds) { [weak self] in
            guard let self else { return }
            self.perform(fact(self))
        }
    }

    private static var wallNanoseconds: UInt64 { UInt64(clamping: Clock.wallMilliseconds) &* 1_000_000 }

    // MARK: Services

    private func route(_ server: GRPCServer) {
        server.handleUnary("/lnrpc.State/GetState") { [unowned self] _, call in
            call.answer(NodeMessages.state(machine.settings.walletState))
        }
        server.handleUnary("/lnrpc.State/SubscribeState") { [unowned self] _, call in
            streams.add(call, to: \.states, of: self)
            call.send(NodeMessages.state(machine.settings.walletState))
        }
        unary(server, "/lnrpc.Lightning/GetInfo") { node, _ in
            NodeMessages.info(
                node.machine.settings, node: node.publicKey, tip: node.chain().tip, channels: node.machine.channels.count)
        }
        unary(server, "/verrpc.Versioner/GetVersion") { node, _ in NodeMessages.version(node.machine.settings) }
        unary(server, "/lnrpc.Lightning/LookupHtlcResolution") { node, request throws(NodeRefusal) in
            guard let circuit = NodeMessages.circuit(inLookup: request) else { throw .unreadable }
            return NodeMessages.resolution(try node.machine.resolution(of: circuit))
        }
        server.handleUnary("/routerrpc.Router/SubscribeHtlcEvents") { [unowned self] _, call in
            guard admits(call) else { return }
            streams.add(call, to: \.events, of: self)
            call.send(NodeMessages.subscribed(nanoseconds: Self.wallNanoseconds))
        }
        server.handleUnary("/chainrpc.ChainNotifier/RegisterBlockEpochNtfn") { [unowned self] request, call in
            guard admits(call) else { return }
            guard machine.settings.buildTags.contains("chainrpc") else {
                return call.finish(NodeRefusal.unknownService("chainrpc.ChainNotifier").status)
            }
            streams.add(call, to: \.blocks, of: self)
            for block in chain().blocks(after: NodeMessages.knownHeight(inBlockEpoch: request)) {
                call.send(NodeMessages.block(block))
            }
        }
        routeWallet(server)
        server.handle("/routerrpc.Router/HtlcInterceptor") { [unowned self] call in
            guard admits(call) else { return }
            intercept(call)
        }
    }

    private func routeWallet(_ server: GRPCServer) {
        for path in NodeWallet.paths {
            unary(server, path) { node, request throws(NodeRefusal) in try node.wallet.answer(path, request, tip: node.chain().height) }
        }
        stream(server, "/routerrpc.Router/SendPaymentV2") { $0.wallet.send($1, $2) }
        stream(server, "/routerrpc.Router/TrackPaymentV2") { $0.wallet.track($1, $2) }
        stream(server, "/invoicesrpc.Invoices/SubscribeSingleInvoice") { $0.wallet.watchInvoice($1, $2) }
        stream(server, "/lnrpc.Lightning/SubscribeChannelEvents") { node, _, call in node.wallet.watchChannels(call) }
    }

    private func stream(_ server: GRPCServer, _ path: String, _ body: @escaping @LoopActor (NodeServer, [UInt8], ServerCall) -> Void) {
        server.handleUnary(path) { [unowned self] request, call in
            guard admits(call) else { return }
            body(self, request, call)
        }
    }

    private func unary(
        _ server: GRPCServer, _ path: String, _ body: @escaping @LoopActor (NodeServer, [UInt8]) throws(NodeRefusal) -> [UInt8]
    ) {
        server.handleUnary(path) { [unowned self] request, call in
            guard admits(call) else { return }
            do throws(NodeRefusal) {
                call.answer(try body(self, request))
            } catch {
                call.finish(error.status)
            }
        }
    }

    private func intercept(_ call: ServerCall) {
        let session = streams.add(call, to: \.interceptors, of: self) { $0.perform($0.machine.disconnected(session: $1)) }
        call.onMessage = { [unowned self] bytes in
            guard let answer = NodeMessages.answer(bytes) else { return perform(machine.garbled(session: session)) }
            perform(machine.answered(answer, session: session, by: LibCrypto.self))
        }
        call.onHalfClose = { [unowned self] in perform(machine.halfClosed(session: session)) }
        perform(machine.connected(session: session, using: &random))
    }

    /// Whether the wallet's state and the macaroon allow the call; finishes it if not.
    private func admits(_ call: ServerCall) -> Bool {
        guard let refusal = refusal(of: call) else { return true }
        call.finish(refusal.status)
        return false
    }

    private func refusal(of call: ServerCall) -> NodeRefusal? {
        if let refusal = NodeRefusal.wallet(state: machine.settings.walletState) { return refusal }
        let macaroons = call.metadata.entries.filter { $0.name == "macaroon" }
        guard macaroons.count == 1 else { return .macaroonCount(macaroons.count) }
        guard let bytes = Hex.decode(macaroons[0].value) else { return .macaroonNotHex }
        guard directory.macaroons.contains(bytes) else { return .macaroonSignature }
        return macaroonComplaint.map { NodeRefusal(code: .unknown, text: $0) }
    }

    /// A client's stream is over.
    func ended(_ key: Int, in kind: WritableKeyPath<NodeStreams, [Int: ServerCall]>) {
        streams[keyPath: kind][key] = nil
    }
}

extension NodeRefusal {
    var status: GRPCStatus { GRPCStatus(GRPCStatus.Code(rawValue: code.rawValue) ?? .unknown, text) }
}

extension ServerCall {
    /// The one message of a unary call.
    fileprivate func answer(_ message: [UInt8]) {
        send(message)
        finish(.ok)
    }
}
