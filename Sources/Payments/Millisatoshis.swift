/// An amount in thousandths of a satoshi. Never negative, never fractional.
public struct Millisatoshis: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var value: UInt64
    @inlinable
    public init(_ value: UInt64) { self.value = value }

    public static let zero = Self(0)
    /// 21 million bitcoin, the most that can exist.
    public static let supply = Self(2_100_000_000_000_000_000)

    @inlinable
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.value < rhs.value }

    /// Sums stop at the largest value instead of trapping: amounts come from outside.
    @inlinable
    public static func + (lhs: Self, rhs: Self) -> Self {
        let (sum, overflow) = lhs.value.addingReportingOverflow(rhs.value)
        return Self(overflow ? .max : sum)
    }
    @inlinable
    public static func += (lhs: inout Self, rhs: Self) { lhs = lhs + rhs }

    /// What is more than `other`, if it is; nothing without something to compare with.
    public func beyond(_ other: Self?) -> Self {
        guard let other, self > other else { return .zero }
        return Self(value - other.value)
    }

    /// Twice the amount, the most that a payer may send (BOLT 4).
    public var doubled: Self { self + self }
}

extension Millisatoshis: CustomStringConvertible {
    public var description: String { "\(value) msat" }
}
