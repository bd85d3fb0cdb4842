import Payments

/// Where an HTLC stands between its arrival and its end.
struct Transit: Equatable, Sendable {
    enum Phase: Equatable, Sendable {
        /// Waits for the interceptor's client.
        case held
        /// Its channel was closed; only a preimage helps now.
        case heldOnChain
        /// Answered, but the incoming link has not passed it on. A restart of the node forgets this.
        case inMailbox(Resolution)
        /// The peer knows; both commitments still have to follow.
        case leaving(FinalResolution)
        /// The node restarted while the peer was away: not offered until the link is back.
        case waitingForLink
    }

    enum Resolution: Equatable, Sendable {
        case settle(Preimage)
        case fail(code: UInt16)
        case failBehind(packet: [UInt8])
        case forward
    }

    var htlc: SimulatedHTLC
    var phase = Phase.held
    /// What was answered first, should the HTLC be offered again: an answer must never change.
    var firstAnswer: Bool?
    var autoFailHeight: Int32

    var isOffered: Bool { phase == .held || phase == .heldOnChain }
}
