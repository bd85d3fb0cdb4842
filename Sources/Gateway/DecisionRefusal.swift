internal import Payments
internal import Wire

/// Why a request to settle or cancel was not followed. The names travel between processes.
enum DecisionRefusal: String, Error, Equatable {
    case unknownInvoice
    case unknownNode
    case notAccepted
    case otherSet
    case tooLate
    case nodeAway
    /// Only the process that leads can decide, and there is none.
    case noLeader
    /// The leader has begun it, and has not said what came of it.
    case unanswered
    case unavailable

    /// What a leader answers that has followed.
    static let followed = "done"

    /// `nil` for success.
    init?(_ reply: Reply) {
        switch reply {
        case .done: return nil
        case .notAccepted: self = .notAccepted
        case .otherSet: self = .otherSet
        case .tooLate: self = .tooLate
        case .nodeAway: self = .nodeAway
        case .unknownInvoice: self = .unknownInvoice
        }
    }

    /// `nil` for success.
    init?(_ outcome: LeaderRequests.Outcome) {
        switch outcome {
        case .answered(Self.followed): return nil
        // A newer process may have reasons that this one does not know.
        case .answered(let text): self = Self(rawValue: text) ?? .unanswered
        case .noLeader: self = .noLeader
        case .unanswered: self = .unanswered
        case .unavailable: self = .unavailable
        }
    }

    var problem: Problem {
        switch self {
        case .unknownInvoice: .unknownInvoice
        case .unknownNode: .notFound
        case .notAccepted: Problem(status: 409, code: "not_accepted", title: "No payment is waiting for a decision")
        case .otherSet: Problem(status: 409, code: "other_set", title: "Another set of HTLCs is the accepted one")
        case .tooLate: Problem(status: 409, code: "too_late", title: "It has been decided, or a deadline is too near")
        case .nodeAway: Problem(status: 503, code: "node_away", title: "A node that holds a part cannot be reached now")
        case .noLeader: Problem(status: 503, code: "no_leader", title: "No process leads now", detail: "nothing was done; ask again")
        case .unanswered:
            Problem(status: 503, code: "not_answered", title: "The leader has not answered in time", detail: "it may have been done; asking again does it once")
        case .unavailable: .unavailable
        }
    }
}
