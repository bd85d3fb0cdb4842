internal import Payments
internal import Wire

/// Why a request to settle or cancel was not followed.
enum DecisionRefusal: Error, Equatable {
    case unknownInvoice
    case notAccepted
    case otherSet
    case tooLate
    case nodeAway
    /// Only the process that leads can decide, and this one does not.
    case noLeader
    case unavailable

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

    var problem: Problem {
        switch self {
        case .unknownInvoice: .unknownInvoice
        case .notAccepted: Problem(status: 409, code: "not_accepted", title: "No payment is waiting for a decision")
        case .otherSet: Problem(status: 409, code: "other_set", title: "Another set of HTLCs is the accepted one")
        case .tooLate: Problem(status: 409, code: "too_late", title: "It has been decided, or a deadline is too near")
        case .nodeAway: Problem(status: 503, code: "node_away", title: "A node that holds a part cannot be reached now")
        case .noLeader: .noLeader
        case .unavailable: .unavailable
        }
    }
}
