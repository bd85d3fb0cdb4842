internal import Bolt
internal import Gateway
internal import Glibc
internal import Keys

/// Keys and settings that are as good as any.
enum Fixture {
    static let settings = GatewaySettings(
        network: .regtest, publicURL: "http://127.0.0.1", nodes: [], instance: "bench", version: "bench")

    static func identity() -> IdentityKey {
        guard let key = IdentityKey(SecureRandom.bytes32()) else { exit(70) }
        return key
    }

    /// Of this process: other programs on the machine do not count.
    static var processorNanoseconds: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
