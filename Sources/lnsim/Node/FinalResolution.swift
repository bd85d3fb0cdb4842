/// The irrevocable end of an HTLC. Both false: it timed out on chain.
struct FinalResolution: Equatable, Sendable {
    var isSettled: Bool
    var isOffChain: Bool
}
