/// SHA-256 of a preimage; names a payment on every node (BOLT 4).
public struct PaymentHash: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public var bytes: Bytes32
    @inlinable
    public init(_ bytes: Bytes32) { self.bytes = bytes }
    public init?(hex: String) {
        guard let bytes = Bytes32(hex: hex) else { return nil }
        self.bytes = bytes
    }
    public var description: String { bytes.hex }
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.bytes < rhs.bytes }
}

/// What proves and claims a payment. It has no textual description: it must never reach a log.
public struct Preimage: Hashable, Sendable, BitwiseCopyable {
    public var bytes: Bytes32
    @inlinable
    public init(_ bytes: Bytes32) { self.bytes = bytes }
}

/// What only the payer of one invoice knows (BOLT 11 field `s`). No textual description either.
public struct PaymentSecret: Hashable, Sendable, BitwiseCopyable {
    public var bytes: Bytes32
    @inlinable
    public init(_ bytes: Bytes32) { self.bytes = bytes }
}

extension Preimage: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "Preimage(hidden)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension PaymentSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "PaymentSecret(hidden)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The one hash the pure rooms need; the caller supplies the implementation.
public protocol SHA256Digest: Sendable {
    static func sha256(_ bytes: borrowing Span<UInt8>) -> Bytes32
}
