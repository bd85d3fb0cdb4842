import Bolt
import Keys
import Payments

/// A payment under way, or over.
struct Payment: Sendable {
    enum Status: String, Sendable { case pending, succeeded, failed }

    struct Part: Sendable {
        var node: Int
        var htlc: SimulatedHTLC
        var sharedSecret: Bytes32
        var state = PartState.pending
    }

    enum PartState: Equatable, Sendable {
        case pending
        case settled(Preimage)
        case forwarded
        case failed(PartFailure)

        var name: String {
            switch self {
            case .pending: "pending"
            case .settled: "settled"
            case .forwarded: "forwarded"
            case .failed: "failed"
            }
        }
    }

    let id: Int
    let paymentHash: PaymentHash
    var parts: [Part]
    /// Nanoseconds of the monotonic clock.
    var startedAt: UInt64 = 0
    var endedAt: UInt64?

    /// Failed only when no part is left that could still settle.
    var status: Status {
        if parts.contains(where: { $0.state == .pending }) { return .pending }
        let isPaid = parts.allSatisfy {
            switch $0.state {
            case .settled, .forwarded: true
            case .pending, .failed: false
            }
        }
        return isPaid ? .succeeded : .failed
    }

    /// Some parts were taken and others not: the one thing a payee must never do.
    var isTorn: Bool {
        let settled = parts.filter { if case .settled = $0.state { true } else { false } }.count
        return status == .failed && settled > 0
    }

    var preimage: Preimage? {
        for part in parts { if case .settled(let preimage) = part.state { return preimage } }
        return nil
    }

    /// Notes when it was over and lets go of the onions, which nobody needs any more.
    mutating func close(at time: UInt64) {
        endedAt = time
        for index in parts.indices { parts[index].htlc.message = [] }
    }

    /// The first news of a part counts. Returns whether the payment is over with it.
    mutating func ended(part index: Int, _ outcome: PartOutcome) -> Bool {
        guard parts.indices.contains(index), parts[index].state == .pending else { return false }
        parts[index].state =
            switch outcome {
            case .settled(let preimage): .settled(preimage)
            case .forwarded: .forwarded
            case .failed(let code): .failed(PartFailure(code: code, origin: .node))
            case .failedBehind(let packet): .failed(PartFailure(packet: packet, sharedSecret: parts[index].sharedSecret))
            }
        return status != .pending
    }
}
