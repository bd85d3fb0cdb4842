/// The hold on a claim: on which one, and by which of those who have held it one after the other.
///
/// Whoever stalls for longer than a claim is kept for him finds it in other hands. His number is not the claim's any more then, so he
/// neither answers nor frees it, and what he would do in its name is not done.
public struct ClaimLease: Equatable, Sendable {
    public var account: Int64
    /// As the client names it, within its account.
    public var key: String
    /// No other holder, of this claim or another, has it or will have it.
    public var number: Int64

    public init(account: Int64, key: String, number: Int64) {
        self.account = account
        self.key = key
        self.number = number
    }
}
