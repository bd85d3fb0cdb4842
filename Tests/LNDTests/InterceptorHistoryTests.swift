import Payments
import TestSupport
import Testing

@testable import LND

/// The part of a node that the interceptor talks to: what it would do with each answer.
private struct NodeModel {
    var held: [UInt64: WireOffer] = [:]
    var height: UInt32 = 700

    mutating func reached(_ height: UInt32) {
        self.height = height
        held = held.filter { Int64($0.value.autoFailHeight) > Int64(height) }
    }

    /// Whether LND takes it; if not, it ends the stream.
    mutating func takes(_ reply: InterceptorSession.Reply) -> Bool {
        guard let offer = held[reply.circuit.htlcID] else { return false }
        switch reply.action {
        case .settle(let preimage):
            guard preimage.bytes.withSpan({ SampleHash.sha256($0) }).array == offer.paymentHash else { return false }
        case .fail(let message):
            guard message.count == 292, !offer.isOnChain else { return false }
        case .failTemporarily, .failBadOnion, .resume:
            guard !offer.isOnChain else { return false }
        }
        held[reply.circuit.htlcID] = nil
        return true
    }
}

@Suite("Histories of a session")
struct InterceptorHistoryTests {
    @Test("whatever is offered and answered in whatever order, the node never has a reason to end the stream", arguments: 0..<20)
    func histories(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var node = NodeModel()
        var session = InterceptorSession(node: Samples.node)
        for _ in 0..<500 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                let offer = randomOffer(&generator)
                node.held[offer.circuit.htlcID] = offer
                switch session.offered(offer) {
                case .resume(let circuit): expect(&node, takes: .init(circuit: circuit, action: .resume))
                case .failTemporarily(let circuit): expect(&node, takes: .init(circuit: circuit, action: .failTemporarily))
                case .hold, .leave: break
                }
            case 4..<9:
                let key = Samples.key(UInt64.random(in: 0..<12, using: &generator))
                if case .send(let reply) = session.answer(key, with: randomAnswer(&generator), by: SampleHash.self) {
                    expect(&node, takes: reply)
                }
            default:
                let height = UInt32.random(in: 690...810, using: &generator)
                node.reached(height)
                session.heightReached(height)
            }
        }
        // Nothing that is ours and could be answered was forgotten.
        let ours = node.held.values.filter { $0.requestedChannelID == session.virtualChannelID && $0.paymentHash.count == 32 }
        #expect(Set(session.held.keys) == Set(ours.map(\.circuit)))
    }

    private func expect(_ node: inout NodeModel, takes reply: InterceptorSession.Reply) {
        let isTaken = node.takes(reply)
        #expect(isTaken)
    }

    private func randomOffer(_ generator: inout SeededGenerator) -> WireOffer {
        var offer = Samples.offer(UInt64.random(in: 0..<12, using: &generator))
        if Int.random(in: 0..<4, using: &generator) == 0 { offer.requestedChannelID = 42 }
        if Int.random(in: 0..<8, using: &generator) == 0 { offer.paymentHash.removeLast() }
        offer.autoFailHeight = [781, 700, 0, 800, 801, -5, .max].randomElement(using: &generator)!
        return offer
    }

    private func randomAnswer(_ generator: inout SeededGenerator) -> Answer {
        let wrong = Preimage(Bytes32())
        return [
            Answer.settle(Samples.preimage, Samples.paymentHash), .settle(wrong, Samples.paymentHash), .resume, .failTemporarily,
            .fail(encrypted: [UInt8](repeating: 0, count: Bool.random(using: &generator) ? 292 : 291)), .failBadOnion(.key),
        ].randomElement(using: &generator)!
    }
}
