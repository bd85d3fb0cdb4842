/// A moment, in milliseconds since 1970-01-01 UTC. Always a parameter, never read from a clock here.
public struct UnixTime: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var milliseconds: Int64
    @inlinable
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }
    /// Seconds beyond the year 9999 are taken as that year's end, so that arithmetic cannot overflow.
    @inlinable
    public init(seconds: Int64) { milliseconds = min(max(seconds, 0), 253_402_300_799) * 1000 }

    @inlinable
    public var seconds: Int64 { milliseconds / 1000 }
    @inlinable
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.milliseconds < rhs.milliseconds }
    @inlinable
    public func advanced(byMilliseconds span: Int64) -> Self { Self(milliseconds: milliseconds &+ span) }
}
