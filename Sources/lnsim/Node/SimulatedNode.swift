import Payments

/// The switch of one simulated LND node, as far as an interceptor can see it.
///
/// Guarantees: HTLCs are offered, held, failed and finalised by LND's rules of release 0.21, and a wrong answer ends the
/// stream with LND's status. Facts go in, orders come out.
/// It refuses to know sockets, clocks and who pays.
struct SimulatedNode: Sendable {
    /// Who has the one place of the interceptor.
    enum Slot: Equatable, Sendable {
        case free
        case client(session: Int)
        /// A client that is gone, which the node has not noticed yet.
        case ghost
    }

    struct Counts: Equatable, Sendable {
        var offered = 0
        var settled = 0
        var failed = 0
        var forwarded = 0
        /// HTLCs that the node failed by itself at their auto-fail height.
        var autoFailed = 0
        /// HTLCs whose time ran out on chain.
        var lost = 0
    }

    var settings: NodeSettings
    var height: UInt32
    var slot = Slot.free
    var transits: [Circuit: Transit] = [:]
    var finals: [Circuit: FinalResolution] = [:]
    var counts = Counts()
    /// What clients did against the rules, with the text they got for it.
    var violations: [String: Int] = [:]
    /// Channels whose peer is not connected: answers wait in the link's mailbox.
    var awayChannels: Set<UInt64> = []
    /// Channels that exist; an HTLC that asks for any other cannot be forwarded.
    let channels: Set<UInt64>
    /// HTLCs that have ended, so that faults can offer them once more. The oldest are forgotten.
    var ended: [Circuit: Transit] = [:]
    private var endedOrder: [Circuit] = []
    private var endedNext = 0

    static let endedCapacity = 4096

    init(settings: NodeSettings, height: UInt32, channels: Set<UInt64>) {
        self.settings = settings
        self.height = height
        self.channels = channels
    }

    // MARK: The client

    /// An interceptor's stream was opened. Everything held is offered to it, in no particular order.
    mutating func connected(session: Int, using random: inout some RandomNumberGenerator) -> [NodeOrder] {
        guard slot == .free else { return [.endSession(session, .interceptorExists)] }
        slot = .client(session: session)
        return offers(to: session, of: transits.values.filter(\.isOffered).shuffled(using: &random))
    }

    /// The client's stream ended, by whichever side.
    mutating func disconnected(session: Int) -> [NodeOrder] {
        guard slot == .client(session: session) else { return [] }
        return freeSlot()
    }

    /// The client is gone but the node keeps its place, as after a crash without a FIN.
    mutating func ghosted() { slot = .ghost }

    /// The node noticed at last.
    mutating func ghostNoticed() -> [NodeOrder] { slot == .ghost ? freeSlot() : [] }

    private mutating func freeSlot() -> [NodeOrder] {
        slot = .free
        guard !settings.requiresInterceptor else { return [] }
        // Without requireinterceptor LND lets go of everything it held.
        return transits.values.filter { $0.phase == .held }.map(\.htlc.circuit).sorted().flatMap {
            resolve($0, resumption(of: $0))
        }
    }

    // MARK: HTLCs

    /// An HTLC arrived over a channel.
    mutating func arrived(_ htlc: SimulatedHTLC) -> [NodeOrder] {
        guard transits[htlc.circuit] == nil, finals[htlc.circuit] == nil, ended[htlc.circuit] == nil else { return [] }
        let deadline = Int64(htlc.incomingExpiry) - Int64(NodeSettings.rejectDelta)
        transits[htlc.circuit] = Transit(htlc: htlc, autoFailHeight: Int32(clamping: deadline))
        if UInt64(htlc.incomingExpiry) < UInt64(height) + UInt64(NodeSettings.interceptDelta) {
            return refuse(htlc, code: FailureCode.expiryTooSoon)
        }
        if deadline > Int64(Int32.max) { return refuse(htlc, code: FailureCode.expiryTooFar) }
        switch slot {
        case .client(let session):
            counts.offered += 1
            return [.offer(htlc, autoFailHeight: Int32(clamping: deadline), session: session)]
        case .ghost:
            counts.offered += 1
            return []
        case .free where settings.requiresInterceptor:
            return refuse(htlc, code: FailureCode.temporaryChannelFailure)
        case .free:
            return resolve(htlc.circuit, resumption(of: htlc.circuit))
        }
    }

    /// The link had time to pass an answer on.
    mutating func delivered(_ circuit: Circuit) -> [NodeOrder] {
        guard let transit = transits[circuit], case .inMailbox(let resolution) = transit.phase,
            !awayChannels.contains(circuit.chanID)
        else { return [] }
        let final: FinalResolution
        let outcome: PartOutcome
        let event: NodeEvent
        switch resolution {
        case .settle(let preimage):
            final = FinalResolution(isSettled: true, isOffChain: true)
            (outcome, event) = (.settled(preimage), .settled(circuit, preimage))
        case .fail(let code):
            final = FinalResolution(isSettled: false, isOffChain: true)
            (outcome, event) = (.failed(code: code), .forwardFailed(circuit))
        case .failBehind(let packet):
            final = FinalResolution(isSettled: false, isOffChain: true)
            (outcome, event) = (.failedBehind(packet: packet), .forwardFailed(circuit))
        case .forward:
            final = FinalResolution(isSettled: true, isOffChain: true)
            (outcome, event) = (.forwarded, .forwarded(transit.htlc))
        }
        transits[circuit]?.phase = .leaving(final)
        return [.report(transit.htlc.part, outcome), .tell(event), .finalise(circuit)]
    }

    /// Nothing can change the HTLC's end any more.
    mutating func finalised(_ circuit: Circuit) -> [NodeOrder] {
        guard let transit = transits[circuit], case .leaving(let final) = transit.phase else { return [] }
        return end(transit, final)
    }

    /// LookupHtlcResolution.
    func resolution(of circuit: Circuit) throws(NodeRefusal) -> FinalResolution {
        guard settings.storesFinalResolutions else { throw .resolutionsNotStored }
        guard let final = finals[circuit] else { throw .htlcUnknown }
        return final
    }

    // MARK: Blocks

    /// The chain's tip changed, upward or, in a reorganisation, downward.
    mutating func heightReached(_ height: UInt32) -> [NodeOrder] {
        self.height = height
        var orders: [NodeOrder] = []
        for circuit in transits.keys.sorted() {
            guard let transit = transits[circuit] else { continue }
            let hasExpired = transit.htlc.incomingExpiry <= height
            switch transit.phase {
            case .held where Int64(transit.autoFailHeight) <= Int64(height):
                counts.autoFailed += 1
                orders += resolve(circuit, .fail(code: FailureCode.temporaryChannelFailure))
            case .heldOnChain where hasExpired, .waitingForLink where hasExpired:
                orders += lose(transit)
            case .inMailbox where hasExpired && awayChannels.contains(circuit.chanID):
                orders += lose(transit)
            default:
                break
            }
        }
        return orders
    }

    /// The peer's refund confirmed first, whatever was answered.
    private mutating func lose(_ transit: Transit) -> [NodeOrder] {
        counts.lost += 1
        return [.report(transit.htlc.part, .failed(code: FailureCode.permanentChannelFailure))]
            + end(transit, FinalResolution(isSettled: false, isOffChain: false))
    }

    // MARK: What the other files share

    func offers(to session: Int, of transits: [Transit]) -> [NodeOrder] {
        transits.map { .offer($0.htlc, autoFailHeight: $0.autoFailHeight, session: session) }
    }

    /// What becomes of an HTLC that the interceptor does not want.
    func resumption(of circuit: Circuit) -> Transit.Resolution {
        guard let transit = transits[circuit], channels.contains(transit.htlc.requestedChanID) else {
            return .fail(code: FailureCode.unknownNextPeer)
        }
        return .forward
    }

    mutating func resolve(_ circuit: Circuit, _ resolution: Transit.Resolution) -> [NodeOrder] {
        transits[circuit]?.phase = .inMailbox(resolution)
        return [.deliver(circuit)]
    }

    mutating func end(_ transit: Transit, _ final: FinalResolution) -> [NodeOrder] {
        let circuit = transit.htlc.circuit
        transits[circuit] = nil
        if settings.storesFinalResolutions { finals[circuit] = final }
        if final.isSettled { counts.settled += 1 } else { counts.failed += 1 }
        remember(transit)
        return [.tell(.final(circuit, final))]
    }

    private mutating func refuse(_ htlc: SimulatedHTLC, code: UInt16) -> [NodeOrder] {
        [.tell(.linkFailed(htlc, code: code))] + resolve(htlc.circuit, .fail(code: code))
    }

    private mutating func remember(_ transit: Transit) {
        let circuit = transit.htlc.circuit
        if ended.updateValue(transit, forKey: circuit) != nil { return }
        if endedOrder.count < Self.endedCapacity {
            endedOrder.append(circuit)
        } else {
            ended[endedOrder[endedNext]] = nil
            endedOrder[endedNext] = circuit
            endedNext = (endedNext + 1) % Self.endedCapacity
        }
    }
}
