/// The spans a payout's machine goes by, in milliseconds.
public struct PayoutPolicy: Equatable, Sendable {
    /// For how long after an attempt was handed to the store its node may be asked. A process that was stopped in between
    /// may have been replaced.
    public var sendWindow: Int64
    /// How long a node must have said that it knows nothing before that is believed, where it is not known whether it was
    /// asked: the question may still be on its way. LND cuts a silent client's connection after 80 seconds.
    public var lookupGrace: Int64
    /// How long beyond its own time-out a node is waited for before its silence is told.
    public var patience: Int64
    /// Between two questions, at first and at most.
    public var pause: Int64
    public var longestPause: Int64

    public init(sendWindow: Int64 = 2_000, lookupGrace: Int64 = 90_000, patience: Int64 = 5_000, pause: Int64 = 500, longestPause: Int64 = 15_000) {
        self.sendWindow = sendWindow
        self.lookupGrace = lookupGrace
        self.patience = patience
        self.pause = pause
        self.longestPause = longestPause
    }
}
