/// Names one incoming HTLC for ever: the node that holds it, its channel there and its index in that channel.
///
/// `chanID` and `htlcID` are LND's `incoming_circuit_key`; only together with the node are they unique.
public struct CircuitKey: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var node: PublicKey
    public var chanID: UInt64
    public var htlcID: UInt64

    @inlinable
    public init(node: PublicKey, chanID: UInt64, htlcID: UInt64) {
        self.node = node
        self.chanID = chanID
        self.htlcID = htlcID
    }

    /// The order in which a set id is computed: node, channel, HTLC.
    public static func < (lhs: Self, rhs: Self) -> Bool {
        if lhs.node != rhs.node { return lhs.node < rhs.node }
        if lhs.chanID != rhs.chanID { return lhs.chanID < rhs.chanID }
        return lhs.htlcID < rhs.htlcID
    }
}

extension CircuitKey: CustomStringConvertible {
    public var description: String { "\(node):\(chanID):\(htlcID)" }
}
