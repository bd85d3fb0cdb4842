/// One step of a payout that has to be durable before anything follows from it.
public struct PayoutChange: Equatable, Sendable {
    public enum Step: Equatable, Sendable {
        /// The node is named, and will be asked. Admitted if the payout is `created`.
        case send(PublicKey)
        /// What became of it is not known now. Admitted if it is `sending`.
        case doubt
        /// Admitted if it is `sending` or `unknown`.
        case settle(Preimage, fee: Millisatoshis)
        /// This attempt has failed for certain, and another node may be named. Admitted if it is `sending` or `unknown`.
        case retry(PayoutFailure)
        /// It has failed for good, for certain. Admitted unless it has ended.
        case fail(PayoutFailure)
    }

    public var id: PayoutID
    /// Which attempt this is about.
    public var attempt: Int64
    public var step: Step
    public var time: UnixTime

    public init(id: PayoutID, attempt: Int64, step: Step, time: UnixTime) {
        self.id = id
        self.attempt = attempt
        self.step = step
        self.time = time
    }
}
