internal import CUV
internal import Glibc

/// The two clocks of the machine room. Pure rooms get their results as parameters.
public enum Clock {
    /// Milliseconds since 1970-01-01 UTC, by the system's clock.
    public static var wallMilliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Nanoseconds of a clock that never jumps; its zero has no meaning.
    public static var monotonicNanoseconds: UInt64 { uv_hrtime() }
}
