import Keys
import Payments

@testable import lnsim

/// A node under test and short ways to tell it facts.
struct NodeScript {
    static let channel: UInt64 = 700_000 << 40 | 1 << 16
    static let virtualChannel: UInt64 = 1 << 63 | 42
    static let realChannel: UInt64 = 700_000 << 40 | 2 << 16
    static let preimage = Bytes32(filledBy: { $0[0] = 7 })
    static let hash = PaymentHash(preimage.withSpan { LibCrypto.sha256($0) })
    static let temporary = Transit.Resolution.fail(code: FailureCode.temporaryChannelFailure)

    var node: SimulatedNode
    var random = SystemRandomNumberGenerator()

    init(height: UInt32 = 1000, _ change: (inout NodeSettings) -> Void = { _ in }) {
        var settings = NodeSettings(network: "regtest")
        change(&settings)
        node = SimulatedNode(settings: settings, height: height, channels: [Self.channel, Self.realChannel])
    }

    static func circuit(_ id: UInt64) -> Circuit { Circuit(chanID: channel, htlcID: id) }

    static func htlc(_ id: UInt64, expiry: UInt32 = 1160, next: UInt64 = virtualChannel) -> SimulatedHTLC {
        SimulatedHTLC(
            circuit: circuit(id), paymentHash: hash, incomingAmount: Millisatoshis(1000), incomingExpiry: expiry,
            outgoingAmount: Millisatoshis(1000), outgoingExpiry: 1080, requestedChanID: next, message: [],
            part: SimulatedHTLC.Part(payment: 1, index: Int(id)))
    }

    static func settle(_ id: UInt64) -> InterceptorAnswer {
        InterceptorAnswer(circuit: circuit(id), preimage: preimage.array)
    }
    static func fail(_ id: UInt64, code: Int = 15) -> InterceptorAnswer {
        InterceptorAnswer(circuit: circuit(id), action: 1, failureCode: code, failureCodeName: "X")
    }
    static func resume(_ id: UInt64) -> InterceptorAnswer { InterceptorAnswer(circuit: circuit(id), action: 2) }

    @discardableResult
    mutating func connect(_ session: Int = 1) -> [NodeOrder] { node.connected(session: session, using: &random) }

    @discardableResult
    mutating func answer(_ answer: InterceptorAnswer, session: Int = 1) -> [NodeOrder] {
        node.answered(answer, session: session, by: LibCrypto.self)
    }

    /// Runs the orders that only cost time and returns all the others.
    mutating func run(_ orders: [NodeOrder]) -> [NodeOrder] {
        var seen: [NodeOrder] = []
        for order in orders {
            switch order {
            case .deliver(let circuit): seen += run(node.delivered(circuit))
            case .finalise(let circuit): seen += run(node.finalised(circuit))
            default: seen.append(order)
            }
        }
        return seen
    }

    func isHeld(_ id: UInt64) -> Bool { node.transits[Self.circuit(id)]?.isOffered == true }
}

extension [NodeOrder] {
    /// The statuses that streams were ended with.
    var refusals: [NodeRefusal] {
        compactMap { if case .endSession(_, let refusal) = $0 { refusal } else { nil } }
    }
    var offeredIDs: [UInt64] {
        compactMap { if case .offer(let htlc, _, _) = $0 { htlc.circuit.htlcID } else { nil } }
    }
    var outcomes: [PartOutcome] {
        compactMap { if case .report(_, let outcome) = $0 { outcome } else { nil } }
    }
    var finals: [FinalResolution] {
        compactMap { if case .tell(.final(_, let final)) = $0 { final } else { nil } }
    }
}
