public import Logging
internal import GRPC
public import Loop
public import Payments

/// One LND node: keeps connected to it, tells what it offers, and carries the answers.
///
/// All that is told and ordered happens on the loop, in order; after ``onStreamLost`` the node holds nothing until it
/// offers it again. It has to be stopped before it is let go.
@LoopActor
public final class LNDNode {
    public enum State: Equatable, Sendable {
        case stopped
        case connecting
        /// By itself it will go on; the text says what for.
        case waiting(String)
        /// Somebody has to change something; it is tried again at intervals.
        case refused(NodeProblem)
        case connected(NodeInfo)
        /// Connected, but new invoices should not lead to it.
        case draining(NodeInfo)
    }

    public let configuration: NodeConfiguration
    public internal(set) var state = State.stopped {
        didSet { if state != oldValue { onState?(state) } }
    }

    /// Runs at each change of ``state``, before the facts below.
    public var onState: (@LoopActor (State) -> Void)?
    /// Blocks tick, final resolutions are heard and the interceptor is open.
    public var onConnected: (@LoopActor (NodeInfo) -> Void)?
    /// Comes once for each ``onConnected``, except after ``stop()``.
    public var onDisconnected: (@LoopActor (NodeProblem) -> Void)?
    /// An HTLC for the virtual node. It is offered again on every new stream until it is answered for good.
    public var onOffered: (@LoopActor (InterceptedHTLC) -> Void)?
    /// The node's tip, while connected. It goes down when blocks are reorganised away.
    public var onHeight: (@LoopActor (UInt32) -> Void)?
    /// How an HTLC ended, ours or not; perhaps more than once.
    public var onResolution: (@LoopActor (CircuitKey, Resolution) -> Void)?
    /// Everything unanswered is forgotten; whether the last answers arrived is not known.
    public var onStreamLost: (@LoopActor () -> Void)?
    /// The HTLCs whose final resolution is missing. Asked at each connect and every ten blocks.
    public var pendingCircuits: (@LoopActor () -> [CircuitKey])?

    private static let blocksBetweenSweeps: UInt32 = 10
    /// An offer has about 1.5 KB; the longest answer is that of GetInfo.
    private static let longestMessage = 4 * 1024 * 1024

    let hash: any SHA256Digest.Type
    private var logger: Logger
    private let timing: NodeConnection.Timing
    private let intercepts: Bool
    private var policy: ReconnectPolicy
    private var certificate: Credential
    private var macaroon: Credential
    private(set) var connection: NodeConnection?
    private var nextAttempt: Timer?
    private var isDraining = false
    private var height: UInt32?
    private var sweepHeight: UInt32?

    /// - Parameter hash: SHA-256, by which preimages are checked before they are sent.
    public convenience init(configuration: NodeConfiguration, hash: any SHA256Digest.Type, logger: Logger) {
        self.init(configuration: configuration, hash: hash, logger: logger, timing: .init(), reconnecting: .init())
    }

    init(
        configuration: NodeConfiguration, hash: any SHA256Digest.Type, logger: Logger,
        timing: NodeConnection.Timing, reconnecting: ReconnectPolicy.Timing, intercepts: Bool = true
    ) {
        self.intercepts = intercepts
        self.configuration = configuration
        self.hash = hash
        self.logger = logger
        self.logger[metadataKey: "node"] = "\(configuration.name)"
        self.timing = timing
        policy = ReconnectPolicy(timing: reconnecting)
        certificate = Credential(configuration.certificate)
        macaroon = Credential(configuration.macaroon)
    }

    public var pubkey: PublicKey { configuration.pubkey }

    /// `outgoing_requested_chan_id` of the HTLCs that are ours on this node.
    public var virtualChannelID: UInt64 { VirtualChannel.id(of: configuration.pubkey) }

    /// What the node told of itself; `nil` while it is not connected.
    public var info: NodeInfo? {
        switch state {
        case .connected(let info), .draining(let info): info
        case .stopped, .connecting, .waiting, .refused: nil
        }
    }

    /// Why the node is not used and what can be done; `nil` while it is connected.
    public private(set) var problem: NodeProblem?

    // MARK: orders

    public func start() {
        guard state == .stopped else { return }
        connect()
    }

    /// Closes the connection. The node keeps what it holds; neither ``onStreamLost`` nor ``onDisconnected`` comes.
    public func stop() {
        nextAttempt?.cancel()
        nextAttempt = nil
        connection?.close()
        connection = nil
        height = nil
        problem = nil
        state = .stopped
    }

    /// Interception goes on as before; only ``state`` says that new invoices should not lead here.
    public func drain() {
        isDraining = true
        if case .connected(let info) = state { state = .draining(info) }
    }

    public func resume() {
        isDraining = false
        if case .draining(let info) = state { state = .connected(info) }
    }

    /// Answers a held HTLC. Each offer takes one answer; what LND would end the stream for is not sent.
    public func answer(_ key: CircuitKey, _ answer: Answer) -> AnswerResult {
        guard let connection else { return .notHeld }
        let result = connection.answer(key, with: answer)
        if case .refusedLocally(let refusal) = result {
            logger.error("an answer was held back", metadata: ["circuit": "\(key)", "reason": "\(refusal)"])
        }
        return result
    }

    // MARK: connecting

    private func connect() {
        nextAttempt = nil
        if problem == nil {
            state = .connecting
            guard state == .connecting else { return }
        }
        let tls: TLSClient
        let value: String
        do throws(NodeProblem) {
            tls = try pinnedClient()
            value = try macaroonValue()
        } catch {
            return failed(.refused(error, .node))
        }
        var settings = GRPCSettings()
        settings.maximumMessageBytes = Self.longestMessage
        let client = GRPCClient(
            host: configuration.host, port: Int(configuration.port), proxy: configuration.proxy, tls: tls, settings: settings)
        let validation = NodeValidation(pubkey: configuration.pubkey, network: configuration.network)
        let connection = NodeConnection(
            client: client, macaroon: value, validation: validation, hash: hash, timing: timing, intercepts: intercepts
        ) { [weak self] fact in
            self?.happened(fact)
        }
        self.connection = connection
        connection.start()
    }

    private func pinnedClient() throws(NodeProblem) -> TLSClient {
        let bytes: [UInt8]
        do {
            bytes = try certificate.value()
        } catch {
            throw Self.unreadable("TLS certificate", configuration.certificate, error, setting: "tls_cert")
        }
        do {
            return try TLSClient(pinned: bytes)
        } catch {
            certificate.refused()
            throw NodeProblem(
                reason: "the TLS certificate (\(configuration.certificate)) cannot be used: \(PlainText.of(error.detail))",
                remedy: "set `tls_cert` of the node to lnd's tls.cert")
        }
    }

    private func macaroonValue() throws(NodeProblem) -> String {
        do {
            return Macaroon.metadataValue(try macaroon.value())
        } catch {
            throw Self.unreadable("macaroon", configuration.macaroon, error, setting: "macaroon")
        }
    }

    private static func unreadable(
        _ what: String, _ source: CredentialSource, _ error: CredentialSource.ReadError, setting: String
    ) -> NodeProblem {
        let why =
            switch error {
            case .cannotOpen: "cannot be opened"
            case .cannotRead: "cannot be read"
            case .empty: "is empty"
            case .tooLong: "is too long to be one"
            }
        return NodeProblem(
            reason: "the \(what) (\(source)) \(why)",
            remedy: "check `\(setting)` of the node and that the gateway may read the file")
    }

    private func happened(_ fact: NodeConnection.Fact) {
        switch fact {
        case .waiting(let reason):
            let problem = NodeFailure.waiting(reason).problem(isAlarming: false)
            log(problem, isError: false)
            self.problem = problem
            state = .waiting(reason)
        case .height(let height):
            reached(height)
        case .open(let info):
            opened(info)
        case .offered(let htlc):
            onOffered?(htlc)
        case .resolution(let key, let resolution):
            onResolution?(key, resolution)
        case .subscribed:
            sweep()
        case .ended(let failure):
            failed(failure)
        }
    }

    private func opened(_ info: NodeInfo) {
        policy.connected(at: Self.now)
        problem = nil
        for warning in info.warnings {
            logger.warning("\(warning.reason)", metadata: ["remedy": "\(warning.remedy)"])
        }
        logger.info("connected", metadata: ["height": "\(info.blockHeight)", "version": "\(info.version.map(\.description) ?? "unknown")"])
        state = isDraining ? .draining(info) : .connected(info)
        onConnected?(info)
        if let height { onHeight?(height) }
    }

    private func reached(_ height: UInt32) {
        self.height = height
        if let last = sweepHeight, max(height, last) - min(height, last) >= Self.blocksBetweenSweeps { sweep() }
        if info != nil { onHeight?(height) }
    }

    /// Final resolutions are told once, and not to those who were away.
    private func sweep() {
        sweepHeight = height
        if let keys = pendingCircuits?(), !keys.isEmpty { connection?.lookUp(keys) }
    }

    // MARK: failing

    private func failed(_ failure: NodeFailure) {
        let wasConnected = info != nil
        connection = nil
        height = nil
        let wait = policy.failed(failure.cause, at: Self.now, random: UInt64.random(in: 0...UInt64.max))
        let problem = failure.problem(isAlarming: wait.isAlarming)
        switch failure {
        case .refused(_, .certificate): certificate.refused()
        case .refused(_, .macaroon): macaroon.refused()
        case .refused(_, .node), .waiting, .occupied, .lost: break
        }
        log(problem, isError: failure.cause == .refused || wait.isAlarming)
        self.problem = problem
        // Before anybody is told, so that being stopped in answer to it stands.
        nextAttempt = Timer(afterMilliseconds: wait.milliseconds) { [weak self] in self?.connect() }
        switch failure {
        case .refused: state = .refused(problem)
        case .occupied where wait.isAlarming: state = .refused(problem)
        case .waiting, .occupied, .lost: state = .waiting(problem.reason)
        }
        if wasConnected {
            onStreamLost?()
            onDisconnected?(problem)
        }
    }

    /// The same trouble is told once, however often it is met.
    private func log(_ problem: NodeProblem, isError: Bool) {
        guard problem != self.problem else { return }
        logger.log(level: isError ? .error : .warning, "\(problem.reason)", metadata: ["remedy": "\(problem.remedy)"])
    }

    private static var now: UInt64 { Clock.monotonicNanoseconds / 1_000_000 }
}
