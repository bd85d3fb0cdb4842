import Payments

/// An HTLC event of LND's router.
enum NodeEvent: Equatable, Sendable {
    case forwarded(SimulatedHTLC)
    case forwardFailed(Circuit)
    case settled(Circuit, Preimage)
    case linkFailed(SimulatedHTLC, code: UInt16)
    case final(Circuit, FinalResolution)
}
