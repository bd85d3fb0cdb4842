public import Payments

/// What an answer means for the event that was sent.
public enum Verdict: Equatable, Sendable {
    case delivered(status: Int)
    /// To be tried again; the receiver may have said when, in milliseconds.
    case failed(status: Int?, reason: String, retryAfter: Int64?)
    /// The receiver wants no more of it, for good.
    case gone

    public init(_ answer: OutboundAnswer, at now: UnixTime) {
        switch answer {
        case .failed(let failure): self = .failed(status: nil, reason: failure.reason, retryAfter: nil)
        case .answered(let status, _, _) where (200..<300).contains(status): self = .delivered(status: status)
        case .answered(410, _, _): self = .gone
        case .answered(let status, let retryAfter, _):
            let wait = retryAfter.flatMap { RetryAfter.milliseconds($0, at: now) }.map { min($0, RetrySchedule.longestPause) }
            let reason = (300..<400).contains(status) ? "answered \(status); redirects are not followed" : "answered \(status)"
            // A redirect's field says when the other place is ready, which is not asked.
            self = .failed(status: status, reason: reason, retryAfter: (300..<400).contains(status) ? nil : wait)
        }
    }
}
