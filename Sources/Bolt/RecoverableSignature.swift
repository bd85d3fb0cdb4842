/// An ECDSA signature (r then s, big-endian) with the number that tells which of four keys made it.
public struct RecoverableSignature: Sendable {
    public var bytes: InlineArray<64, UInt8>
    /// 0...3.
    public var recoveryID: UInt8

    public init(bytes: InlineArray<64, UInt8>, recoveryID: UInt8) {
        self.bytes = bytes
        self.recoveryID = recoveryID
    }

    /// The sixty-five bytes that end an invoice; `nil` for another count or a recovery id above 3.
    init?(_ wire: [UInt8]) {
        guard wire.count == 65, wire[64] <= 3 else { return nil }
        bytes = InlineArray { wire[$0] }
        recoveryID = wire[64]
    }
}

extension RecoverableSignature: Equatable {
    public static func == (lhs: Self, rhs: Self) -> Bool {
        for index in 0..<64 where lhs.bytes[index] != rhs.bytes[index] { return false }
        return lhs.recoveryID == rhs.recoveryID
    }
}
