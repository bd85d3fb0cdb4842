/// The incoming side of an HTLC on one node: the channel it came through and its index there.
struct Circuit: Hashable, Comparable, Sendable {
    var chanID: UInt64
    var htlcID: UInt64

    static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.chanID != rhs.chanID ? lhs.chanID < rhs.chanID : lhs.htlcID < rhs.htlcID
    }
}

extension Circuit: CustomStringConvertible {
    /// As LND prints it: the short channel id in its three parts.
    var description: String {
        "(Chan ID=\(chanID >> 40):\((chanID >> 16) & 0xff_ffff):\(chanID & 0xffff), HTLC ID=\(htlcID))"
    }
}
