public import Payments

/// One hop of a private way to the payee (BOLT 11 field `r`): a channel that begins at `node`.
public struct HopHint: Equatable, Sendable {
    public var node: PublicKey
    public var shortChannelID: UInt64
    /// At most 2^32 − 1 millisatoshi on the wire.
    public var feeBase: UInt32
    public var feePPM: UInt32
    public var cltvDelta: UInt16

    public init(node: PublicKey, shortChannelID: UInt64, feeBase: UInt32, feePPM: UInt32, cltvDelta: UInt16) {
        self.node = node
        self.shortChannelID = shortChannelID
        self.feeBase = feeBase
        self.feePPM = feePPM
        self.cltvDelta = cltvDelta
    }

    static let length = 51
    /// How many hops one field of 639 bytes holds.
    static let limit = 12

    func append(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: 33))
        var room = bytes.mutableSpan
        for index in 0..<33 { room[start + index] = node.storage[index] }
        BigEndian.append(shortChannelID, count: 8, to: &bytes)
        BigEndian.append(UInt64(feeBase), count: 4, to: &bytes)
        BigEndian.append(UInt64(feePPM), count: 4, to: &bytes)
        BigEndian.append(UInt64(cltvDelta), count: 2, to: &bytes)
    }

    /// `nil` if the bytes are not whole hops or a key has not the form of a point.
    static func hops(_ bytes: [UInt8]) -> [HopHint]? {
        guard bytes.count.isMultiple(of: length) else { return nil }
        var hops = [HopHint]()
        for start in stride(from: 0, to: bytes.count, by: length) {
            guard let node = PublicKey(bytes[start..<start + 33]) else { return nil }
            let span = bytes.span
            hops.append(HopHint(
                node: node,
                shortChannelID: BigEndian.integer(span, start + 33..<start + 41),
                feeBase: UInt32(BigEndian.integer(span, start + 41..<start + 45)),
                feePPM: UInt32(BigEndian.integer(span, start + 45..<start + 49)),
                cltvDelta: UInt16(BigEndian.integer(span, start + 49..<start + 51))))
        }
        return hops
    }
}
