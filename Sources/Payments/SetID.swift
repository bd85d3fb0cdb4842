/// Pins which HTLCs an accepted set is made of, as lnmux computes it: SHA-256 over
/// node ‖ chan_id ‖ htlc_id (big-endian) of every HTLC in circuit key order.
public struct SetID: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public var bytes: Bytes32
    @inlinable
    public init(_ bytes: Bytes32) { self.bytes = bytes }
    public init?(hex: String) {
        guard let bytes = Bytes32(hex: hex) else { return nil }
        self.bytes = bytes
    }

    public init<Hash: SHA256Digest>(of circuits: some Sequence<CircuitKey>, by hash: Hash.Type) {
        var preimage = [UInt8]()
        for circuit in circuits.sorted() {
            preimage.append(contentsOf: circuit.node.array)
            for shift in stride(from: 56, through: 0, by: -8) { preimage.append(UInt8(truncatingIfNeeded: circuit.chanID >> UInt64(shift))) }
            for shift in stride(from: 56, through: 0, by: -8) { preimage.append(UInt8(truncatingIfNeeded: circuit.htlcID >> UInt64(shift))) }
        }
        bytes = Hash.sha256(preimage.span)
    }

    public var description: String { bytes.hex }
}
