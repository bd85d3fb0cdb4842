import Payments

/// What the payer sees of one part.
enum PartOutcome: Equatable, Sendable {
    case settled(Preimage)
    /// The node itself failed it.
    case failed(code: UInt16)
    /// Somebody behind the node failed it; the packet is for the payer alone to read.
    case failedBehind(packet: [UInt8])
    /// The node passed it on to a real channel: it was none of the interceptor's business.
    case forwarded
}
