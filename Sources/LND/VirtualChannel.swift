public import Payments

/// The channel that every node pretends to have with the virtual node; it exists only in invoices' route hints.
public enum VirtualChannel {
    /// The last eight bytes of the node's key, big-endian, with the top bit set (as lnmux derives it), so that it can
    /// never be the id of a real channel or of an alias.
    public static func id(of node: PublicKey) -> UInt64 {
        var id: UInt64 = 0
        for index in 25..<33 { id = id << 8 | UInt64(node.storage[index]) }
        return id | 1 << 63
    }
}
