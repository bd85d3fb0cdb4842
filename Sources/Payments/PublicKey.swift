/// A compressed secp256k1 point: thirty-three bytes, not checked to lie on the curve.
public struct PublicKey: Sendable, BitwiseCopyable {
    public var storage: InlineArray<33, UInt8>

    @inlinable
    public init(_ storage: InlineArray<33, UInt8>) { self.storage = storage }

    /// `nil` unless there are thirty-three bytes that begin with 2 or 3.
    @inlinable
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 33, let first = bytes.first, first == 2 || first == 3 else { return nil }
        storage = InlineArray(repeating: 0)
        var index = 0
        for byte in bytes {
            storage[index] = byte
            index += 1
        }
    }

    public init?(hex: String) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    @inlinable
    public func withSpan<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(storage.span)
    }

    public var array: [UInt8] { withSpan { unsafe $0.withUnsafeBufferPointer { unsafe Array($0) } } }
    public var hex: String { withSpan { Hex.encode($0) } }
}

extension PublicKey: Hashable, Comparable {
    @inlinable
    public static func == (lhs: Self, rhs: Self) -> Bool {
        for index in 0..<33 where lhs.storage[index] != rhs.storage[index] { return false }
        return true
    }
    public static func < (lhs: Self, rhs: Self) -> Bool {
        for index in 0..<33 where lhs.storage[index] != rhs.storage[index] {
            return lhs.storage[index] < rhs.storage[index]
        }
        return false
    }
    @inlinable
    public func hash(into hasher: inout Hasher) {
        unsafe storage.span.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}

extension PublicKey: CustomStringConvertible {
    public var description: String { hex }
}
