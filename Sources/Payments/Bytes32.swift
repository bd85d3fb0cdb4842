/// Thirty-two inline bytes: no heap, no reference count.
///
/// Equality takes the same time wherever two values differ, because some of these are secrets.
public struct Bytes32: Sendable, BitwiseCopyable {
    public var storage: InlineArray<32, UInt8>

    /// Thirty-two zero bytes.
    @inlinable
    public init() { storage = InlineArray(repeating: 0) }

    /// `nil` unless the span holds exactly thirty-two bytes.
    @inlinable
    public init?(_ bytes: borrowing Span<UInt8>) {
        guard bytes.count == 32 else { return nil }
        storage = InlineArray(repeating: 0)
        for index in 0..<32 { storage[index] = bytes[index] }
    }

    /// `nil` unless the collection holds exactly thirty-two bytes.
    @inlinable
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        storage = InlineArray(repeating: 0)
        var index = 0
        for byte in bytes {
            storage[index] = byte
            index += 1
        }
    }

    @inlinable
    public init(filledBy body: (inout MutableSpan<UInt8>) -> Void) {
        storage = InlineArray(repeating: 0)
        var span = storage.mutableSpan
        body(&span)
    }

    /// `nil` unless the text is sixty-four hexadecimal digits.
    public init?(hex: String) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// Lends the bytes to `body`; the span cannot escape it.
    @inlinable
    public func withSpan<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(storage.span)
    }

    @inlinable
    public subscript(_ index: Int) -> UInt8 {
        get { storage[index] }
        set { storage[index] = newValue }
    }

    public var array: [UInt8] { withSpan { unsafe $0.withUnsafeBufferPointer { unsafe Array($0) } } }
    public var hex: String { withSpan { Hex.encode($0) } }
    public var isZero: Bool { self == Bytes32() }
}

extension Bytes32: Equatable {
    @inlinable
    public static func == (lhs: Self, rhs: Self) -> Bool {
        var difference: UInt64 = 0
        // Both are thirty-two bytes long.
        unsafe lhs.storage.span.withUnsafeBytes { left in
            unsafe rhs.storage.span.withUnsafeBytes { right in
                for start in stride(from: 0, to: 32, by: 8) {
                    difference |= unsafe left.loadUnaligned(fromByteOffset: start, as: UInt64.self)
                        ^ right.loadUnaligned(fromByteOffset: start, as: UInt64.self)
                }
            }
        }
        return difference == 0
    }
}

extension Bytes32: Hashable {
    @inlinable
    public func hash(into hasher: inout Hasher) {
        unsafe storage.span.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}

extension Bytes32: Comparable {
    public static func < (lhs: Self, rhs: Self) -> Bool {
        for index in 0..<32 where lhs.storage[index] != rhs.storage[index] {
            return lhs.storage[index] < rhs.storage[index]
        }
        return false
    }
}
