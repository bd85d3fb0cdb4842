internal import GRPC
internal import LNDProto
internal import Loop
internal import Payments
internal import SwiftProtobuf

/// One connection to one node, from the first byte to its end: asks who it is, opens the streams, holds HTLCs.
///
/// Any stream that ends takes the connection with it: what was held is offered again on the next one.
@LoopActor
final class NodeConnection {
    enum Fact {
        /// The node is not up yet.
        case waiting(String)
        /// Blocks tick, final resolutions are heard, and the interceptor is ours.
        case open(NodeInfo)
        case height(UInt32)
        case offered(InterceptedHTLC)
        case resolution(CircuitKey, Resolution)
        /// From now on every final resolution is heard, so those that came before have to be looked up.
        case subscribed
        /// The last fact.
        case ended(NodeFailure)
    }

    /// All in milliseconds.
    struct Timing: Equatable, Sendable {
        /// For an answer, the first block and the first event.
        var answer: UInt64 = 30_000
        /// LND accepts an interceptor without a word, and refuses one within its round trip.
        var quiet: UInt64 = 250
    }

    private let client: GRPCClient
    private let metadata: Metadata
    private let validation: NodeValidation
    private let hash: any SHA256Digest.Type
    private let timing: Timing
    /// Without it the connection ends when it is known who the node is, and takes nobody's interceptor.
    private let intercepts: Bool
    private let report: @LoopActor (Fact) -> Void

    private var session: InterceptorSession
    private var isOver = false
    private var info: NodeInfo?
    private var infoReply: [UInt8]?
    private var versionReply: [UInt8]?
    private var hasHeight = false
    private var isSubscribed = false
    private var isOpen = false
    private var stateCall: ClientCall?
    private var interceptor: ClientCall?
    private var lookup: ResolutionLookup?
    private var patience: Timer?

    init(
        client: GRPCClient, macaroon: String, validation: NodeValidation, hash: any SHA256Digest.Type,
        timing: Timing, intercepts: Bool, report: @escaping @LoopActor (Fact) -> Void
    ) {
        self.client = client
        metadata = Metadata([(Macaroon.metadataName, macaroon)])
        self.validation = validation
        self.hash = hash
        self.timing = timing
        self.intercepts = intercepts
        self.report = report
        session = InterceptorSession(node: validation.pubkey)
    }

    func start() {
        client.onState = { [weak self] state in self?.clientChanged(state) }
        client.connect()
    }

    /// Ends without a fact.
    func close() {
        guard !isOver else { return }
        isOver = true
        patience?.cancel()
        client.onState = nil
        // Not from within one of the client's own callbacks.
        let client = client
        LoopActor.atEndOfTurn { client.close() }
    }

    func answer(_ key: CircuitKey, with answer: Answer) -> AnswerResult {
        guard !isOver, interceptor != nil else { return .notHeld }
        switch session.answer(key, with: answer, by: hash) {
        case .notHeld: return .notHeld
        case .refused(let refusal): return .refusedLocally(refusal)
        case .send(let reply):
            send(reply)
            return .sent
        }
    }

    // MARK: calls beside the interceptor

    /// A question whose end is told whatever becomes of the connection. `nil` if nothing can be asked now: nothing was sent.
    func call(
        _ method: LNDMethod, _ request: [UInt8], deadlineMilliseconds: Int? = nil, onMessage: @escaping @LoopActor ([UInt8]) -> Void,
        onEnd: @escaping @LoopActor (GRPCStatus) -> Void
    ) -> ClientCall? {
        guard !isOver, isOpen else { return nil }
        let call = client.call(method.rawValue, metadata: metadata, deadlineMilliseconds: deadlineMilliseconds, onMessage: onMessage) { status, _ in onEnd(status) }
        call.send(request)
        call.halfClose()
        return call
    }

    /// Asks for the final resolutions of these; those that are not final give no fact.
    func lookUp(_ keys: [CircuitKey]) {
        guard !isOver, isSubscribed else { return }
        lookup?.enqueue(keys.lazy.filter { $0.node == self.validation.pubkey }.map { InterceptorSession.Circuit(chanID: $0.chanID, htlcID: $0.htlcID) })
    }

    private func end(_ failure: NodeFailure) {
        guard !isOver else { return }
        close()
        report(.ended(failure))
    }

    private func wait(for what: String) {
        patience?.cancel()
        patience = Timer(afterMilliseconds: timing.answer) { [weak self] in
            self?.end(.lost("the node did not answer in time: \(what)"))
        }
    }

    // MARK: who is there

    private func clientChanged(_ state: GRPCClient.State) {
        guard !isOver else { return }
        switch state {
        case .idle, .connecting: break
        case .ready: watchState()
        case .closed(let reason): end(NodeFailure(reason))
        }
    }

    private func watchState() {
        wait(for: "SubscribeState")
        stateCall = open(.subscribeState, metadata: Metadata()) { [weak self] bytes in self?.walletState(bytes) }
    }

    private func walletState(_ bytes: [UInt8]) {
        guard stateCall != nil else { return }
        switch WalletState(bytes) {
        case .ready:
            let call = stateCall
            stateCall = nil
            call?.cancel()
            askWhoItIs()
        case .waiting(let reason):
            patience?.cancel()
            report(.waiting(reason))
        case nil:
            end(.unreadable(.subscribeState))
        }
    }

    private func askWhoItIs() {
        wait(for: "GetInfo and GetVersion")
        ask(.getInfo) { [weak self] in self?.infoReply = $0 }
        ask(.getVersion) { [weak self] in self?.versionReply = $0 }
    }

    private func ask(_ method: LNDMethod, _ store: @escaping @LoopActor ([UInt8]) -> Void) {
        client.unary(method.rawValue, metadata: metadata, deadlineMilliseconds: Int(timing.answer), request: []) { [weak self] result in
            guard let self, !isOver else { return }
            switch result {
            case .success(let bytes):
                store(bytes)
                judge()
            case .failure(let status):
                end(NodeFailure(status, of: method))
            }
        }
    }

    private func judge() {
        guard let infoReply, let versionReply else { return }
        guard let facts = NodeValidation.Facts(info: infoReply, version: versionReply) else { return end(.unreadable(.getInfo)) }
        switch validation.judge(facts) {
        case .refused(let problem):
            end(.refused(problem, .node))
        case .accepted(let info):
            self.info = info
            guard intercepts else {
                close()
                return report(.open(info))
            }
            openStreams()
        }
    }

    // MARK: streams

    private func openStreams() {
        wait(for: "the first block and the subscription to HTLC events")
        _ = open(.registerBlockEpoch, metadata: metadata) { [weak self] bytes in self?.block(bytes) }
        _ = open(.subscribeHTLCEvents, metadata: metadata) { [weak self] bytes in self?.notice(bytes) }
    }

    /// A server stream: one empty request, and no end that is not the connection's.
    private func open(_ method: LNDMethod, metadata: Metadata, onMessage: @escaping @LoopActor ([UInt8]) -> Void) -> ClientCall {
        let call = begin(method, metadata: metadata, onMessage: onMessage)
        call.send([])
        call.halfClose()
        return call
    }

    private func begin(_ method: LNDMethod, metadata: Metadata, onMessage: @escaping @LoopActor ([UInt8]) -> Void) -> ClientCall {
        client.call(method.rawValue, metadata: metadata) { [weak self] bytes in
            guard let self, !isOver else { return }
            onMessage(bytes)
        } onEnd: { [weak self] status, _ in
            guard let self, !isOver else { return }
            // The state's stream was cancelled here when it had said what was needed.
            if method == .subscribeState, stateCall == nil { return }
            end(NodeFailure(status, of: method))
        }
    }

    private func block(_ bytes: [UInt8]) {
        guard let height = BlockEpoch.height(bytes) else { return end(.unreadable(.registerBlockEpoch)) }
        session.heightReached(height)
        info?.blockHeight = height
        report(.height(height))
        hasHeight = true
        intercept()
    }

    private func notice(_ bytes: [UInt8]) {
        switch HTLCNotice(bytes) {
        case .subscribed:
            guard !isSubscribed else { return }
            isSubscribed = true
            lookup = ResolutionLookup(client: client, metadata: metadata, deadlineMilliseconds: Int(timing.answer)) { [weak self] circuit, resolution in
                guard let self, !isOver else { return }
                report(.resolution(key(of: circuit), resolution))
            }
            report(.subscribed)
            intercept()
        case .final(let circuit, let resolution):
            report(.resolution(key(of: circuit), resolution))
        case .other:
            break
        case nil:
            end(.unreadable(.subscribeHTLCEvents))
        }
    }

    /// Opened last: nothing is held before heights and final resolutions are heard. Never half-closed, which would end it.
    private func intercept() {
        guard !isOver, hasHeight, isSubscribed, interceptor == nil else { return }
        wait(for: "GetState")
        interceptor = begin(.htlcInterceptor, metadata: metadata) { [weak self] bytes in self?.offered(bytes) }
        // One round trip and then silence: LND has had time to refuse.
        client.unary(
            LNDMethod.getState.rawValue, metadata: Metadata(), deadlineMilliseconds: Int(timing.answer), request: []
        ) { [weak self] result in
            guard let self, !isOver, !isOpen else { return }
            if case .failure(let status) = result { return end(NodeFailure(status, of: .getState)) }
            patience?.cancel()
            patience = Timer(afterMilliseconds: timing.quiet) { [weak self] in self?.becomeOpen() }
        }
    }

    private func becomeOpen() {
        guard !isOver, !isOpen, let info else { return }
        isOpen = true
        patience?.cancel()
        report(.open(info))
    }

    private func offered(_ bytes: [UInt8]) {
        becomeOpen()
        guard !isOver else { return }
        guard let offer = WireOffer(bytes) else { return end(.unreadable(.htlcInterceptor)) }
        switch session.offered(offer) {
        case .hold(let htlc): report(.offered(htlc))
        case .resume(let circuit): send(InterceptorSession.Reply(circuit: circuit, action: .resume))
        case .failTemporarily(let circuit): send(InterceptorSession.Reply(circuit: circuit, action: .failTemporarily))
        case .leave: break
        }
    }

    private func send(_ reply: InterceptorSession.Reply) {
        guard let bytes = reply.bytes else { return }
        interceptor?.send(bytes)
    }

    private func key(of circuit: InterceptorSession.Circuit) -> CircuitKey {
        CircuitKey(node: validation.pubkey, chanID: circuit.chanID, htlcID: circuit.htlcID)
    }
}
