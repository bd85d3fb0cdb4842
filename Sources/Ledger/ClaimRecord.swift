public import Payments

/// The wish to carry out a request once, whoever asks for it how often.
public struct ClaimRequest: Equatable, Sendable {
    public var account: Int64
    /// As the client names it, within its account.
    public var key: String
    /// SHA-256 of what is asked for.
    public var request: Bytes32
    /// Random; what the request makes is made from the seed of its first attempt.
    public var seed: Bytes32
    public var time: UnixTime

    public init(account: Int64, key: String, request: Bytes32, seed: Bytes32, time: UnixTime) {
        self.account = account
        self.key = key
        self.request = request
        self.seed = seed
        self.time = time
    }
}

/// What the store says to it.
public enum ClaimOutcome: Equatable, Sendable {
    /// It is the caller's to carry out, with the seed and the time of the first attempt.
    case granted(ClaimLease, seed: Bytes32, time: UnixTime)
    /// Somebody carries it out just now.
    case running
    /// It was answered with this, sealed as it was handed over.
    case answered(seed: Bytes32, status: Int, answer: [UInt8])
    /// The key was used for another request.
    case otherRequest
}

/// How a claimed request ended.
public struct ClaimAnswer: Equatable, Sendable {
    public var lease: ClaimLease
    public var status: Int
    /// Sealed.
    public var answer: [UInt8]

    public init(_ lease: ClaimLease, status: Int, answer: [UInt8]) {
        self.lease = lease
        self.status = status
        self.answer = answer
    }
}
