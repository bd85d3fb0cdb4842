import Payments

/// What a node wants done after a fact.
enum NodeOrder: Equatable, Sendable {
    /// Send the HTLC to the interceptor's client.
    case offer(SimulatedHTLC, autoFailHeight: Int32, session: Int)
    /// End the interceptor's stream with a status.
    case endSession(Int, NodeRefusal)
    /// Come back with ``SimulatedNode/delivered(_:)`` when the link has passed the answer to its peer.
    case deliver(Circuit)
    /// Come back with ``SimulatedNode/finalised(_:)`` when the removal is irrevocable.
    case finalise(Circuit)
    /// Tell those who listen to HTLC events.
    case tell(NodeEvent)
    /// Tell the payer how its part ended.
    case report(SimulatedHTLC.Part, PartOutcome)
}
