internal import Wire

/// What a key has left, as `RateLimit-*` tells it.
public struct Quota: Equatable, Sendable {
    /// Requests in a second.
    public var limit: Int64
    public var remaining: Int64
    /// Until all of it is there again.
    public var resetSeconds: Int64
    /// This request was one too many.
    public var isExceeded: Bool
    public var retryAfterSeconds: Int64

    /// What whoever asks too often is told.
    var refusal: Problem {
        var problem = Problem.rateLimited
        problem.retryAfterSeconds = retryAfterSeconds
        return problem
    }

    /// As `RateLimit-*` tells it, over every transport that has such fields.
    var fields: [(name: String, value: String)] {
        [("ratelimit-limit", "\(limit)"), ("ratelimit-remaining", "\(remaining)"), ("ratelimit-reset", "\(resetSeconds)")]
    }
}
